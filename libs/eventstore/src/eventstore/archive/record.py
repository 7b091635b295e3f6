"""An event as an archive keeps it: every column, byte for byte.

A record is its length (4 bytes), then position, previous position, revision and time of recording
(microseconds since 1970), each 8 bytes, the event id (16 bytes), then tenant, stream, type, data,
metadata and digest, each behind its length (4 bytes). Numbers are big-endian, texts UTF-8.
"""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from struct import Struct
from struct import error as StructError  # noqa: N812 - the module names it in lower case
from typing import NamedTuple
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
        microseconds(event.recorded_at),
        event.id.bytes,
    )
    texts = (event.stream.tenant, event.stream.name, event.type)
    fields = (*(text.encode() for text in texts), event.data, event.metadata, event.digest)
    body = fixed + b"".join(_LENGTH.pack(len(field)) + field for field in fields)
    return _LENGTH.pack(len(body)) + body


class Record(NamedTuple):
    """A record as it lies there: `recorded_at` in microseconds since 1970, the id's bytes, and the
    six fields, each behind its length.
    """

    position: int
    previous_position: int
    revision: int
    recorded_at: int
    id: bytes
    fields: bytes


def records(data: bytes) -> Iterator[Record]:
    """Give records one after another, taken apart no further; raises RecordMalformed."""
    at = 0
    try:
        while at < len(data):
            (length,) = _LENGTH.unpack_from(data, at)
            start = at + _LENGTH.size
            at = start + length
            fields = data[start + _FIXED.size : at]
            if at > len(data) or _length_of_fields(fields) != length - _FIXED.size:
                raise RecordMalformed("a record is longer or shorter than its fields")
            yield Record._make((*_FIXED.unpack_from(data, start), fields))
    except StructError as error:
        raise RecordMalformed("the bytes are no records") from error


def decode(record: Record) -> RecordedEvent:
    """Give the event of a record; raises RecordMalformed."""
    tenant, stream, event_type, data, metadata, digest = split(record.fields)
    try:
        return RecordedEvent(
            record.position,
            record.previous_position,
            StreamId(tenant.decode(), stream.decode()),
            record.revision,
            UUID(bytes=record.id),
            event_type.decode(),
            data,
            metadata,
            _EPOCH + record.recorded_at * _MICROSECOND,
            digest,
        )
    except ValueError as error:
        raise RecordMalformed("the bytes are no records") from error


def split(fields: bytes) -> list[bytes]:
    """Take the fields of a record apart."""
    parts, at = [], 0
    for _ in range(_FIELDS):
        (length,) = _LENGTH.unpack_from(fields, at)
        start = at + _LENGTH.size
        at = start + length
        parts.append(fields[start:at])
    return parts


def microseconds(time: datetime) -> int:
    """Give a time as records have it."""
    return (time - _EPOCH) // _MICROSECOND


def _length_of_fields(fields: bytes) -> int:
    at = 0
    for _ in range(_FIELDS):
        (length,) = _LENGTH.unpack_from(fields, at)
        at += _LENGTH.size + length
    return at
