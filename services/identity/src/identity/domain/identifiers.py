"""What a caller says and what a record holds, in the one form in which they are compared."""

import re
import unicodedata
from datetime import date
from typing import Final

# Letters that NFKD leaves whole although people write them without the stroke or apart.
_APART: Final = str.maketrans(
    {"ø": "o", "ł": "l", "đ": "d", "ð": "d", "þ": "th", "æ": "ae", "œ": "oe", "\u0131": "i"}
)
_BETWEEN_NAMES = re.compile(r"[\s\u2010-\u2015\-/,;_+.]+")
_EXTENSION = re.compile(r"(?:ext\.?|x|#).*$", re.IGNORECASE)
_NOT_DIGIT = re.compile(r"[^0-9]+")
_NOT_WORD = re.compile(r"[^a-z0-9]+")
_ISO_DATE = re.compile(r"\d{4}-\d{2}-\d{2}")
_ZIP_DIGITS: Final = 5
_NATIONAL_DIGITS: Final = 10
_FEWEST_DIGITS: Final = 8
_MOST_DIGITS: Final = 15
_SHORTEST_NUMBER: Final = 4

# USPS Publication 28, appendix C1 and the directionals, the usual ones.
_STREET_WORDS: Final = {
    "st": "street",
    "str": "street",
    "ave": "avenue",
    "av": "avenue",
    "rd": "road",
    "blvd": "boulevard",
    "dr": "drive",
    "ln": "lane",
    "ct": "court",
    "pl": "place",
    "sq": "square",
    "ter": "terrace",
    "trl": "trail",
    "trlr": "trailer",
    "pkwy": "parkway",
    "hwy": "highway",
    "cir": "circle",
    "apt": "apartment",
    "ste": "suite",
    "n": "north",
    "s": "south",
    "e": "east",
    "w": "west",
}


def name_words(name: str) -> tuple[str, ...]:
    """Give the words of a name, without regard to case, diacritics and punctuation: "Ñúñez-O'Brien"
    gives nunez, obrien.
    """
    words = ("".join(filter(str.isalpha, part)) for part in _BETWEEN_NAMES.split(_plain(name)))
    return tuple(word for word in words if word)


def whole_date(text: str) -> date | None:
    """Read a day as FHIR writes it; None for a year, a month or anything else."""
    stripped = text.strip()
    if _ISO_DATE.fullmatch(stripped) is None:
        return None
    try:
        return date.fromisoformat(stripped)
    except ValueError:
        return None


def phone_number(text: str) -> str | None:
    """Write a phone number as "+" and digits, North American unless it says otherwise.

    None for what lacks its area code or is none.
    """
    spoken = _EXTENSION.sub("", unicodedata.normalize("NFKC", text)).strip()
    figures = _NOT_DIGIT.sub("", spoken)
    if spoken.startswith("+"):
        return f"+{figures}" if _FEWEST_DIGITS <= len(figures) <= _MOST_DIGITS else None
    if len(figures) == _NATIONAL_DIGITS:
        return f"+1{figures}"
    if len(figures) == _NATIONAL_DIGITS + 1 and figures.startswith("1"):
        return f"+{figures}"
    return None


def record_number(text: str) -> str | None:
    """Write a record or member number without regard to case, spaces and signs; None when it is too
    short to mean anybody.
    """
    number = _NOT_WORD.sub("", _plain(text))
    return number if len(number) >= _SHORTEST_NUMBER else None


def zip_code(text: str) -> str | None:
    """Give the five digits of a ZIP code, those of ZIP+4 left out."""
    figures = _NOT_DIGIT.sub("", text)
    return figures[:_ZIP_DIGITS] if len(figures) in (_ZIP_DIGITS, _ZIP_DIGITS + 4) else None


def street(text: str) -> str | None:
    """Write a street line without regard to case, punctuation and usual abbreviations.

    None when it has no house number or box, which makes it a line that strangers share.
    """
    words = [_STREET_WORDS.get(word, word) for word in _NOT_WORD.split(_plain(text)) if word]
    has_figure = any(word[0].isdigit() for word in words)
    return " ".join(words) if has_figure and len(words) > 1 else None


def _plain(text: str) -> str:
    folded = unicodedata.normalize("NFKD", text).casefold().translate(_APART)
    return "".join(
        each for each in unicodedata.normalize("NFKD", folded) if unicodedata.category(each) != "Mn"
    )
