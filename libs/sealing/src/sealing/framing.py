"""One byte string for several values, so that no two lists of values give the same one."""

_LENGTH_BYTES = 4


def framed(*parts: str | bytes) -> bytes:
    """Each part behind its length (4 bytes, big-endian); text as UTF-8."""
    octets = (part.encode() if isinstance(part, str) else part for part in parts)
    return b"".join(len(part).to_bytes(_LENGTH_BYTES) + part for part in octets)
