"""Ids that lie together in an index when made together, and repeat when a request does."""

from hashlib import sha256
from uuid import RFC_4122, UUID

_TIME_BITS = 48
_TIMED_VERSION = 7
_VERSION_AND_VARIANT = (0xF << 76) | (0b11 << 62)
_UUID8 = (0x8 << 76) | (0b10 << 62)


def request_key(*parts: str) -> bytes:
    """Give the bytes that a request is known by: its tenant, principal, method and request id.

    Each part is preceded by its length, so that no two lists of parts give the same bytes.
    """
    encoded = [part.encode() for part in parts]
    return b"".join(len(part).to_bytes(4, "big") + part for part in encoded)


def event_id(request_key: bytes, ordinal: int, time_ms: int | None) -> UUID:
    """Give the id of the `ordinal`-th event (from 0) that a request appends: a UUIDv8 (RFC 9562).

    `time_ms` is the time in the client's request id (`time_of`), so that ids made at about the
    same time share index pages: ids in random order cost five to ten times the write-ahead log.
    None, for a request id without a time, takes that part from the hash as well.
    """
    hashed = sha256(ordinal.to_bytes(4, "big") + request_key).digest()
    return timed_uuid(time_ms, hashed)


def time_of(request_id: UUID) -> int | None:
    """Read the milliseconds since 1970 in a UUIDv7, None for any other UUID."""
    if request_id.variant != RFC_4122 or request_id.version != _TIMED_VERSION:
        return None
    return request_id.int >> (128 - _TIME_BITS)


def timed_uuid(time_ms: int | None, hashed: bytes) -> UUID:
    """Make a UUIDv8: 48 bits of time, if there is one, and 74 bits of the hash."""
    value = int.from_bytes(hashed[:16], "big")
    if time_ms is not None:
        if not 0 <= time_ms < 1 << _TIME_BITS:
            raise ValueError("a time in an id is 48 bits of milliseconds since 1970")
        rest = 128 - _TIME_BITS
        value = time_ms << rest | value & ((1 << rest) - 1)
    return UUID(int=value & ~_VERSION_AND_VARIANT | _UUID8)
