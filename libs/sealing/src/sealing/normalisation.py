"""Brings what people say and write of themselves into one form, so that the same is found again."""

import re
import unicodedata
from dataclasses import dataclass
from datetime import date

import phonenumbers
from jellyfish import metaphone

# Letters that NFKD leaves whole although people write them without the stroke or apart.
_APART = str.maketrans(
    {"ø": "o", "ł": "l", "đ": "d", "ð": "d", "þ": "th", "æ": "ae", "œ": "oe", "\u0131": "i"}
)
_SEPARATORS = re.compile(r"[\s\u2010-\u2015\-/,;_+]+")
_DATE = re.compile(r"(\d{4})(?:-(\d{2})(?:-(\d{2}))?)?", re.ASCII)


class InvalidPhone(ValueError):
    """Not a phone number: give it with its area code, outside the US with its country code."""

    def __init__(self) -> None:
        super().__init__("no phone number: give area code and number, abroad +country code first")


class InvalidEmail(ValueError):
    """Not an e-mail address."""

    def __init__(self) -> None:
        super().__init__("no e-mail address: give it as name@domain")


class InvalidIdentifier(ValueError):
    """Not an identifier in a system."""

    def __init__(self) -> None:
        super().__init__("no identifier: give its system and a value with letters or digits")


class InvalidBirthDate(ValueError):
    """Not a day, month or year."""

    def __init__(self) -> None:
        super().__init__("no date: give YYYY-MM-DD, or YYYY-MM or YYYY where no more is known")


@dataclass(frozen=True, slots=True)
class BirthDate:
    """What is known of a day of birth: `whole` is YYYY-MM-DD, `month_day` MM-DD."""

    year: str
    month_day: str | None = None
    whole: str | None = None


def normal_phone(number: str, *, region: str = "US") -> str:
    """Return it as E.164, extension left out. Whether it is assigned to anybody is not asked.

    Raises InvalidPhone, also for a number without its area code, which is nobody's.
    """
    try:
        parsed = phonenumbers.parse(number, region)
    except phonenumbers.NumberParseException:
        raise InvalidPhone from None
    if (
        phonenumbers.is_possible_number_with_reason(parsed)
        != phonenumbers.ValidationResult.IS_POSSIBLE
    ):
        raise InvalidPhone
    return phonenumbers.format_number(parsed, phonenumbers.PhoneNumberFormat.E164)


def normal_email(address: str) -> str:
    """Return it without regard to case. Raises InvalidEmail."""
    normal = unicodedata.normalize("NFKC", address).strip().casefold()
    name, at, domain = normal.rpartition("@")
    if not (name and at and domain) or "@" in name or any(map(str.isspace, normal)):
        raise InvalidEmail
    return normal


def normal_identifier(system: str, value: str) -> tuple[str, str]:
    """Return system and value, the value without regard to case, spaces and hyphens, since
    "999-64-1211" is also said and written in one. Raises InvalidIdentifier.
    """
    plain = unicodedata.normalize("NFKC", value).casefold()
    normal = "".join(
        each for each in plain if not each.isspace() and unicodedata.category(each) != "Pd"
    )
    if not system.strip() or not any(map(str.isalnum, normal)):
        raise InvalidIdentifier
    return system.strip(), normal


def normal_birth_date(written: str) -> BirthDate:
    """Read a FHIR date, which may be a year or a month only. Raises InvalidBirthDate."""
    match = _DATE.fullmatch(written.strip())
    if match is None:
        raise InvalidBirthDate
    year, month, day = match.groups()
    try:
        date(int(year), int(month or 1), int(day or 1))
    except ValueError:
        raise InvalidBirthDate from None
    if day is None:
        return BirthDate(year)
    return BirthDate(year, f"{month}-{day}", f"{year}-{month}-{day}")


def name_tokens(*names: str) -> frozenset[str]:
    """Return the parts of given and family names, without regard to case, diacritics, order,
    punctuation and digits: "Adán465 Ñúñez-O'Brien" gives adan, nunez, obrien.
    """
    return frozenset(
        letters
        for name in names
        for part in _SEPARATORS.split(_plain(name))
        if (letters := "".join(filter(str.isalpha, part)))
    )


def sounds(*names: str) -> frozenset[str]:
    """Return the metaphone of each part of a name that is written in a-z; others have none."""
    codes = (metaphone(token) for token in name_tokens(*names) if token.isascii())
    return frozenset(code for code in codes if code)


def _plain(name: str) -> str:
    folded = unicodedata.normalize("NFKD", name).casefold().translate(_APART)
    return "".join(
        each for each in unicodedata.normalize("NFKD", folded) if unicodedata.category(each) != "Mn"
    )
