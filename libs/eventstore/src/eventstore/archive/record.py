"""An event as an archive keeps it: every column, byte for byte.

A record is its length (4 bytes), then position, previous position, revision and time of recording
(microseconds since 1970), each 8 bytes, the event id (16 bytes), then tenant, stream, type, data,
metadata and digest, each behind its length (4 bytes). Numbers are big-endian, texts UTF-8.
"""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from struct import Struct
from struct import error as StructError  # noqa: N812 - the module names it in lower case
from uuid import UUID

from eventstore.event import RecordedEvent
from eventstore.stream_id import StreamId

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
_FIXED = Struct(">qqqq16s")
_LENGTH = Struct(">I")
_FIELDS = 6


class RecordMalformed(ValueError):
    """The bytes are no sequence of records."""


def encode(event: RecordedEvent) -> bytes:
    fixed = _FIXED.pack(
        event.position,
        event.previous_position,
        event.revision,
        (event.recorded_at - _EPOCH) // _MICROSECOND,
        event.id.bytes,
    )
    texts = (event.stream.tenant, event.stream.name, event.type)
    fields = (*(text.encode() for text in texts), event.data, event.metadata, event.digest)
    body = fixed + b"".join(_LENGTH.pack(len(field)) + field for field in fields)
    return _LENGTH.pack(len(body)) + body


def decode(data: bytes) -> Iterator[RecordedEvent]:
    """Give the events of records one after another; raises RecordMalformed."""
    view = memoryview(data)
    at = 0
    try:
        while at < len(view):
            body, at = _take(view, at)
            yield _event(body)
    except (StructError, ValueError) as error:
        raise RecordMalformed("the bytes are no records") from error


def _take(view: memoryview, at: int) -> tuple[memoryview, int]:
    """Give the field that starts at `at`, and where it ends."""
    (length,) = _LENGTH.unpack_from(view, at)
    start = at + _LENGTH.size
    if start + length > len(view):
        raise ValueError("a field is longer than what is there")
    return view[start : start + length], start + length


def _event(body: memoryview) -> RecordedEvent:
    position, previous, revision, recorded_at, event_id = _FIXED.unpack_from(body)
    at = _FIXED.size
    fields = []
    for _ in range(_FIELDS):
        field, at = _take(body, at)
        fields.append(bytes(field))
    if at != len(body):
        raise ValueError("a record is longer than its fields")
    tenant, stream, event_type, data, metadata, digest = fields
    return RecordedEvent(
        position,
        previous,
        StreamId(tenant.decode(), stream.decode()),
        revision,
        UUID(bytes=event_id),
        event_type.decode(),
        data,
        metadata,
        _EPOCH + recorded_at * _MICROSECOND,
        digest,
    )
