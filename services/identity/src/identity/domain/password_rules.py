"""Which passwords are refused: too short, too long, or what guessers try first."""

import unicodedata
from collections.abc import Iterable
from itertools import pairwise
from string import digits, punctuation
from typing import Final

SHORTEST: Final = 8
LONGEST: Final = 128
_SHORTEST_NAME: Final = 4
_ROOM_BESIDE_NAME: Final = 6
_LONGEST_GROUP: Final = 4
_LOOKALIKES: Final = str.maketrans("013457@$!", "oieastasi")
_DECORATION: Final = digits + punctuation + " "


def canonical(password: str) -> str:
    """Give the form that is hashed, so that the same keys typed on any system give the same bytes
    (Unicode NFKC, as NIST SP 800-63B asks).
    """
    return unicodedata.normalize("NFKC", password)


def is_acceptable(password: str, *, blocked: frozenset[str], names: Iterable[str]) -> bool:
    """Tell whether a canonical password may be used: length and blocklist, no composition rules
    (NIST SP 800-63B-4).

    `blocked` holds plain words. A password is refused when it is one of them, also with figures
    put in for letters or with figures and signs around it; when one of `names` (the user's, the
    tenant's) is most of it; when it repeats a short group or runs along alphabet or digits.
    """
    if not SHORTEST <= len(password) <= LONGEST:
        return False
    folded = password.casefold()
    core = folded.strip(_DECORATION)
    forms = {folded, core, core.translate(_LOOKALIKES)}
    return not (
        forms & blocked
        or _repeats(folded)
        or _runs(folded)
        or any(_is_mostly(form, name, len(folded)) for form in forms for name in names)
    )


def _is_mostly(form: str, name: str, length: int) -> bool:
    plain = name.strip().casefold()
    return (
        len(plain) >= _SHORTEST_NAME and plain in form and length - len(plain) < _ROOM_BESIDE_NAME
    )


def _repeats(folded: str) -> bool:
    return any(
        folded == (folded[:size] * len(folded))[: len(folded)]
        for size in range(1, _LONGEST_GROUP + 1)
    )


def _runs(folded: str) -> bool:
    steps = {ord(after) - ord(before) for before, after in pairwise(folded)}
    return steps in ({1}, {-1})
