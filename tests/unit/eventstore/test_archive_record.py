from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
from eventstore.archive.record import RecordMalformed, decode, encode, records
from eventstore.event import RecordedEvent
from eventstore.stream_id import StreamId
from hypothesis import given
from hypothesis import strategies as st

POSITIONS = st.integers(0, 2**63 - 1)
TIMES = st.datetimes(datetime(1970, 1, 1), datetime(9999, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001
RECORDED = st.builds(
    RecordedEvent,
    position=POSITIONS,
    previous_position=POSITIONS,
    stream=st.builds(
        StreamId,
        st.from_regex(r"[a-z][a-z0-9-]{1,31}", fullmatch=True),
        st.from_regex(r"[a-z][A-Za-z0-9]{0,63}/[A-Za-z0-9_-]{1,64}", fullmatch=True),
    ),
    revision=POSITIONS,
    id=st.uuids(),
    type=st.from_regex(r"[a-z]+(\.[A-Za-z]+)*", fullmatch=True),
    data=st.binary(),
    metadata=st.binary(),
    recorded_at=TIMES,
    digest=st.binary(max_size=32),
)
EVENT = RecordedEvent(
    3,
    2,
    StreamId("demo", "conversations/a"),
    0,
    UUID(int=1),
    "a.B",
    b"data",
    b"metadata",
    datetime(2026, 1, 2, 3, 4, 5, 678901, tzinfo=UTC) + timedelta(microseconds=1),
    b"digest",
)


@given(st.lists(RECORDED, max_size=5))
def test_events_come_back_as_they_were(events: list[RecordedEvent]) -> None:
    assert list(map(decode, records(b"".join(map(encode, events))))) == events


@pytest.mark.parametrize("missing", range(1, len(encode(EVENT))))
def test_a_cut_record_is_refused(missing: int) -> None:
    with pytest.raises(RecordMalformed):
        list(records(encode(EVENT)[:-missing]))


def test_a_record_longer_than_its_fields_is_refused() -> None:
    whole = encode(EVENT)
    longer = (int.from_bytes(whole[:4], "big") + 1).to_bytes(4, "big") + whole[4:] + b"x"

    with pytest.raises(RecordMalformed):
        list(records(longer))
