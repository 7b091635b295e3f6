"""One byte string for several values, so that no two lists of values give the same one."""

_LENGTH_BYTES = 4


def framed(*parts: str | bytes) -> bytes:
    """Each part behind its length (4 bytes, big-endian); text as UTF-8."""
    # A plain loop: each event that is sealed or opened comes by here.
    octets = []
    for part in parts:
        of_part = part.encode() if isinstance(part, str) else part
        octets.append(len(of_part).to_bytes(_LENGTH_BYTES))
        octets.append(of_part)
    return b"".join(octets)
