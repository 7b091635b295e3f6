"""The headers of a published event: CloudEvents names, and its place in its owner's log."""

import base64
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import NamedTuple
from uuid import UUID

from careline.log.v1.recorded_event_pb2 import EventMetadata
from eventstore.event import RecordedEvent
from eventstore.stream_id import StreamId
from google.protobuf.message import DecodeError

from messaging.names import event_subject
from messaging.received_event import ReceivedEvent

MESSAGE_ID = "Nats-Msg-Id"
EXPECTED_LAST_SEQUENCE = "Nats-Expected-Last-Sequence"
# The event was too large for a message: its bytes are in its owner's log only.
OMITTED = "careline-omitted"
# The keyed hash of the request: with it a log that lost the event has it back whole.
DIGEST = "careline-digest"

_SOURCE_PREFIX = "careline/"
# Of a bigint.
_MOST_DIGITS = 19


class MessageMalformed(Exception):
    """A message on a stream of ours that no relay of ours published."""

    def __init__(self, header: str) -> None:
        super().__init__(f"a message has no proper {header}: look at who published it")
        self.header = header


class Origin(NamedTuple):
    """Where in whose log a published event stands."""

    source: str
    epoch: int
    position: int


def trace_of(metadata: bytes) -> tuple[str, str]:
    """Return traceparent and tracestate of stored EventMetadata, empty where there are none."""
    try:
        context = EventMetadata.FromString(metadata)
    except DecodeError:
        return "", ""
    return context.traceparent, context.tracestate


def digest_text(digest: bytes) -> str:
    """Return a request's digest as its header has it."""
    return base64.b64encode(digest).decode()


def headers_of(service: str, epoch: int, event: RecordedEvent) -> dict[str, str]:
    """Return the headers under which `service` publishes an event of its log."""
    headers = {
        MESSAGE_ID: str(event.id),
        "ce-specversion": "1.0",
        "ce-id": str(event.id),
        "ce-type": event.type,
        "ce-source": _SOURCE_PREFIX + service,
        "ce-subject": event.stream.name,
        "ce-time": event.recorded_at.astimezone(UTC).isoformat(),
        "careline-tenant": event.stream.tenant,
        "careline-epoch": str(epoch),
        "careline-position": str(event.position),
        "careline-previous-position": str(event.previous_position),
        "careline-revision": str(event.revision),
        "careline-metadata": base64.b64encode(event.metadata).decode(),
        DIGEST: digest_text(event.digest),
    }
    traceparent, tracestate = trace_of(event.metadata)
    if traceparent:
        headers["traceparent"] = traceparent
    if tracestate:
        headers["tracestate"] = tracestate
    return headers


def origin_of(headers: Mapping[str, str]) -> Origin:
    """Return where a published message's event stands. Raises MessageMalformed."""
    source = _text(headers, "ce-source")
    if not source.startswith(_SOURCE_PREFIX):
        raise MessageMalformed("ce-source")
    return Origin(
        source.removeprefix(_SOURCE_PREFIX),
        _number(headers, "careline-epoch"),
        _number(headers, "careline-position"),
    )


def received_event(subject: str, headers: Mapping[str, str], data: bytes) -> ReceivedEvent:
    """Read a published message. Raises MessageMalformed, also when subject and headers disagree."""
    source, epoch, position = origin_of(headers)
    try:
        stream = StreamId(_text(headers, "careline-tenant"), _text(headers, "ce-subject"))
        event_type = _text(headers, "ce-type")
        if subject != event_subject(source, stream.tenant, stream.id, event_type):
            raise MessageMalformed("subject")
        return ReceivedEvent(
            source=source,
            epoch=epoch,
            position=position,
            previous_position=_number(headers, "careline-previous-position"),
            stream=stream,
            revision=_number(headers, "careline-revision"),
            id=UUID(_text(headers, "ce-id")),
            type=event_type,
            data=data,
            metadata=base64.b64decode(headers.get("careline-metadata", ""), validate=True),
            recorded_at=_time(headers, "ce-time"),
            traceparent=headers.get("traceparent", ""),
            tracestate=headers.get("tracestate", ""),
        )
    except ValueError as error:
        raise MessageMalformed("tenant, stream, id, type or metadata") from error


def from_log(source: str, epoch: int, event: RecordedEvent) -> ReceivedEvent:
    """Return the event as its receivers see it, taken from the log itself."""
    traceparent, tracestate = trace_of(event.metadata)
    return ReceivedEvent(
        source=source,
        epoch=epoch,
        position=event.position,
        previous_position=event.previous_position,
        stream=event.stream,
        revision=event.revision,
        id=event.id,
        type=event.type,
        data=event.data,
        metadata=event.metadata,
        recorded_at=event.recorded_at,
        traceparent=traceparent,
        tracestate=tracestate,
    )


def _text(headers: Mapping[str, str], name: str) -> str:
    value = headers.get(name)
    if not value:
        raise MessageMalformed(name)
    return value


def _number(headers: Mapping[str, str], name: str) -> int:
    value = _text(headers, name)
    if not (value.isascii() and value.isdigit() and len(value) <= _MOST_DIGITS):
        raise MessageMalformed(name)
    return int(value)


def _time(headers: Mapping[str, str], name: str) -> datetime:
    value = datetime.fromisoformat(_text(headers, name))
    if value.tzinfo is None:
        raise MessageMalformed(name)
    return value
