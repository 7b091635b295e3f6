"""Records as rows of the log in PostgreSQL's binary COPY format, their bytes as they lie there.

Both are big-endian, with each field behind its length, so that all but the stream's key is copied.
"""

from struct import Struct

from eventstore.archive.record import Record, split
from eventstore.stream_id import StreamId

COLUMNS = (
    "position",
    "revision",
    "event_id",
    "recorded_at",
    "stream_key",
    "tenant",
    "stream",
    "type",
    "data",
    "metadata",
    "digest",
)
HEADER = b"PGCOPY\n\xff\r\n\0" + bytes(8)
TRAILER = b"\xff\xff"

_FIELDS = len(COLUMNS)
# What lies before the record's own fields: each value behind its length.
_HEAD = Struct(">hiqiqi16siqi16s")
# PostgreSQL counts microseconds from 2000, records from 1970.
_MICROSECONDS_TO_2000 = 946_684_800_000_000
_KEYS_KEPT = 100_000
_LENGTH = Struct(">I")


class CopyRows:
    """Makes rows; keeps the keys of streams that it met."""

    def __init__(self) -> None:
        self._keys: dict[bytes, bytes] = {}

    def of(self, records: list[Record]) -> bytes:
        """Give the rows of records; raises RecordMalformed."""
        parts = []
        for record in records:
            recorded_at = record.recorded_at - _MICROSECONDS_TO_2000
            parts.append(
                _HEAD.pack(
                    _FIELDS,
                    8,
                    record.position,
                    8,
                    record.revision,
                    16,
                    record.id,
                    8,
                    recorded_at,
                    16,
                    self._key(record.fields),
                )
            )
            parts.append(record.fields)
        return b"".join(parts)

    def _key(self, fields: bytes) -> bytes:
        end = 0
        for _ in range(2):  # tenant and stream
            end += _LENGTH.size + _LENGTH.unpack_from(fields, end)[0]
        name = fields[:end]
        key = self._keys.get(name)
        if key is None:
            if len(self._keys) == _KEYS_KEPT:
                self._keys.clear()
            tenant, stream = split(fields)[:2]
            key = self._keys[name] = StreamId(tenant.decode(), stream.decode()).key.bytes
        return key
