from datetime import UTC, datetime, timedelta, timezone
from uuid import UUID

import pytest
from careline.log.v1.recorded_event_pb2 import EventMetadata
from eventstore.event import RecordedEvent
from eventstore.stream_id import StreamId
from hypothesis import given
from hypothesis import strategies as st
from messaging.headers import (
    MessageMalformed,
    from_log,
    headers_of,
    origin_of,
    received_event,
)
from messaging.names import event_subject

METADATA = EventMetadata(traceparent="00-aa-bb-01", tracestate="k=v").SerializeToString()
EVENT = RecordedEvent(
    position=42,
    previous_position=40,
    stream=StreamId("demo", "conversations/01890000-0000-7000-8000-000000000000"),
    revision=3,
    id=UUID("01890000-0000-8000-8000-000000000000"),
    type="careline.conversations.events.v1.MessagePosted",
    data=b"\x00\xff",
    metadata=METADATA,
    recorded_at=datetime(2026, 11, 23, 10, 0, 0, 123456, tzinfo=timezone(timedelta(hours=-5))),
)
SUBJECT = event_subject("conversations", "demo", EVENT.stream.id, EVENT.type)


@given(
    position=st.integers(1, 2**63 - 1),
    revision=st.integers(0, 2**63 - 1),
    data=st.binary(max_size=200),
    metadata=st.binary(max_size=200),
    time=st.datetimes(min_value=datetime(2000, 1, 1), timezones=st.just(UTC)),  # noqa: DTZ001 - a bound, its zone is given beside
    tenant=st.from_regex(r"[a-z][a-z0-9-]{1,31}", fullmatch=True),
)
def test_what_is_published_is_received_as_it_stands_in_the_log(
    position: int, revision: int, data: bytes, metadata: bytes, time: datetime, tenant: str
) -> None:
    event = EVENT._replace(
        position=position,
        previous_position=position - 1,
        revision=revision,
        data=data,
        metadata=metadata,
        recorded_at=time,
        stream=StreamId(tenant, EVENT.stream.name),
    )
    subject = event_subject("conversations", tenant, event.stream.id, event.type)
    headers = headers_of("conversations", 7, event)
    assert received_event(subject, headers, data) == from_log("conversations", 7, event)
    assert all("\n" not in value and "\r" not in value for value in headers.values())


def test_the_trace_context_travels_in_headers_of_its_own() -> None:
    headers = headers_of("conversations", 1, EVENT)
    assert (headers["traceparent"], headers["tracestate"]) == ("00-aa-bb-01", "k=v")
    without = headers_of("conversations", 1, EVENT._replace(metadata=b""))
    assert "traceparent" not in without
    assert "tracestate" not in without


def test_times_travel_in_utc() -> None:
    assert headers_of("conversations", 1, EVENT)["ce-time"] == "2026-11-23T15:00:00.123456+00:00"


def test_the_origin_of_a_message_is_read_without_the_rest() -> None:
    assert origin_of(headers_of("conversations", 9, EVENT)) == ("conversations", 9, 42)


@pytest.mark.parametrize(
    ("header", "value"),
    [
        ("ce-id", "no uuid"),
        ("ce-type", ""),
        ("ce-source", "conversations"),
        ("ce-source", None),
        ("ce-subject", "conversations"),
        ("ce-time", "yesterday"),
        ("ce-time", "2026-11-23T15:00:00"),
        ("careline-tenant", "DEMO"),
        ("careline-tenant", "other"),
        ("careline-epoch", "1.5"),
        ("careline-position", "-1"),
        ("careline-position", "٣"),
        ("careline-previous-position", None),
        ("careline-revision", " 1"),
        ("careline-metadata", "?"),
        ("careline-position", "9" * 20),
        ("careline-position", "9" * 5000),
    ],
)
def test_a_message_with_a_wrong_or_missing_header_is_malformed(
    header: str, value: str | None
) -> None:
    headers = headers_of("conversations", 1, EVENT)
    del headers[header]
    if value is not None:
        headers[header] = value
    with pytest.raises(MessageMalformed) as malformed:
        received_event(SUBJECT, headers, EVENT.data)
    assert value is None or value == "" or value not in str(malformed.value)


def test_a_message_on_another_subject_than_its_headers_say_is_malformed() -> None:
    with pytest.raises(MessageMalformed, match="subject"):
        received_event(SUBJECT + "x", headers_of("conversations", 1, EVENT), EVENT.data)
