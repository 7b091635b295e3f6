"""Time-based one-time passwords: RFC 6238 with SHA-1, 30 seconds, six digits."""

import hashlib
import hmac
from datetime import datetime
from typing import Final

STEP_SECONDS: Final = 30
DIGITS: Final = 6
WINDOW: Final = 1
"""Steps before and after now whose codes are taken: clocks differ, and typing takes time."""


def step_at(at: datetime) -> int:
    """Give the number of a moment's time step, counted from 1970."""
    return int(at.timestamp()) // STEP_SECONDS


def code(seed: bytes, step: int) -> str:
    """Compute the code of a step, by the dynamic truncation of RFC 4226, 5.3."""
    mac = hmac.digest(seed, step.to_bytes(8, "big"), hashlib.sha1)
    offset = mac[-1] & 0xF
    number = int.from_bytes(mac[offset : offset + 4], "big") & 0x7FFF_FFFF
    return f"{number % 10**DIGITS:0{DIGITS}d}"


def matching_step(seed: bytes, given: str, at: datetime) -> int | None:
    """Give the latest step of the window whose code is the given one; None when there is none.

    Every step is compared, in constant time each.
    """
    now = step_at(at)
    found: int | None = None
    for step in range(now - WINDOW, now + WINDOW + 1):
        if hmac.compare_digest(code(seed, step).encode(), given.encode()):
            found = step
    return found
