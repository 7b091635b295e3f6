"""The bytes in which a needle may lie: its cases, encodings, hexadecimal and base64 digits.

All are in lower case, to be looked for in content whose ASCII letters are: that covers any mixture
of cases, and hexadecimal digits of both. What that adds to base64, whose case means something, is a
false alarm of no likelihood at these lengths.
"""

import base64
import json
from collections.abc import Iterator
from urllib.parse import quote

from e2e.clear_scan.needles import Needle

# Fewer bytes than this, or base64 digits, are met with by chance.
SHORTEST = 6
SHORTEST_BASE64 = 7


def variants(needle: Needle) -> frozenset[bytes]:
    found: set[bytes] = set()
    for spelling in needle.spellings:
        for octets in _writings(spelling):
            found |= {one.lower() for one in _encodings(octets) if len(one) >= SHORTEST}
    return frozenset(found)


def _writings(spelling: bytes) -> Iterator[bytes]:
    """Give it in both cases, as letters beyond ASCII and base64 digits differ between them, escaped
    as in JSON and in URLs, and in UTF-16.
    """
    yield spelling
    try:
        text = spelling.decode()
    except UnicodeDecodeError:
        return
    yield from (text.lower().encode(), text.upper().encode())
    yield json.dumps(text)[1:-1].encode()
    yield quote(text).encode()
    # Without the last zero, so that the bytes are found in both byte orders.
    yield from (one.encode("utf-16-le")[:-1] for one in (text, text.lower(), text.upper()))


def _encodings(octets: bytes) -> Iterator[bytes]:
    yield octets
    yield octets.hex().encode()
    for shift in range(3):
        digits = _base64_inside(octets, shift)
        if len(digits) >= SHORTEST_BASE64:
            yield digits
            yield digits.translate(bytes.maketrans(b"+/", b"-_"))


def _base64_inside(octets: bytes, shift: int) -> bytes:
    """Give the digits that any base64 text has which holds these octets after `shift` others (in
    groups of three): those that no octet before or behind has a share in.
    """
    digits = base64.b64encode(b"\0" * shift + octets).rstrip(b"=")
    own_from = -(-8 * shift // 6)
    own_to = 8 * (shift + len(octets)) // 6
    return digits[own_from:own_to]
