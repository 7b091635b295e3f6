"""New ids of aggregates and requests: made outside the domain, in order of time."""

import secrets
import time
from uuid import UUID


def new_id() -> UUID:
    """Make a UUIDv7 (RFC 9562): 48 bits of milliseconds, 74 random bits."""
    milliseconds = time.time_ns() // 1_000_000
    value = (milliseconds & ((1 << 48) - 1)) << 80 | secrets.randbits(80)
    version_and_variant = (0xF << 76) | (0b11 << 62)
    return UUID(int=value & ~version_and_variant | (0x7 << 76) | (0b10 << 62))
