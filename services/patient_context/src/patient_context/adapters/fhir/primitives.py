"""FHIR R4's primitive types, as strict as the specification (hl7.org/fhir/R4/datatypes.html).

Each function returns the value or raises ValueError whose text says what was expected.
"""

import re
from datetime import date
from typing import Final

LONGEST_TEXT: Final = 2048
_DATE: Final = r"(?P<year>\d{4})(?:-(?P<month>0[1-9]|1[0-2])(?:-(?P<day>0[1-9]|[12]\d|3[01])"
_TIME: Final = (
    r"T(?:[01]\d|2[0-3]):[0-5]\d:(?:[0-5]\d|60)(?:\.\d{1,9})?"
    r"(?:Z|[+-](?:(?:0\d|1[0-3]):[0-5]\d|14:00))"
)
_IS_DATE = re.compile(rf"{_DATE})?)?", re.ASCII)
_IS_DATE_TIME = re.compile(rf"{_DATE}(?:{_TIME})?)?)?", re.ASCII)
_IS_INSTANT = re.compile(rf"{_DATE}{_TIME}))", re.ASCII)
_IS_ID = re.compile(r"[A-Za-z0-9.-]{1,64}", re.ASCII)
_IS_CODE = re.compile(r"[^\s]+(?:\s[^\s]+)*")
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ud800-\udfff]")


def text(value: object, *, longest: int = LONGEST_TEXT) -> str:
    """Read a string: not empty, without control characters and halves of surrogate pairs."""
    if not isinstance(value, str):
        raise ValueError("not a string")  # noqa: TRY004  one error for whatever is no such value
    if not value or value.isspace():
        raise ValueError("an empty string")
    if len(value) > longest:
        raise ValueError(f"longer than {longest} characters")
    if _CONTROL.search(value):
        raise ValueError("a string with control characters")
    return value


def code(value: object) -> str:
    """Read a code: no white space around it, and single spaces inside."""
    if not isinstance(value, str) or _IS_CODE.fullmatch(text(value)) is None:
        raise ValueError("not a FHIR code")
    return value


def uri(value: object) -> str:
    """Read a uri: no white space at all."""
    if not isinstance(value, str) or any(map(str.isspace, text(value))):
        raise ValueError("not a URI")
    return value


def resource_id(value: object) -> str:
    """Read an id of a resource."""
    if not isinstance(value, str) or _IS_ID.fullmatch(value) is None:
        raise ValueError("not a FHIR id")
    return value


def boolean(value: object) -> bool:
    """Read a boolean; "true" and 1 are none."""
    if not isinstance(value, bool):
        raise ValueError("not true or false")  # noqa: TRY004  as above
    return value


def fhir_date(value: object) -> str:
    """Read a date, which may be a year or a month only."""
    return _dated(_IS_DATE, value, "not a FHIR date")


def date_time(value: object) -> str:
    """Read a dateTime: a date, or a moment with seconds and zone."""
    return _dated(_IS_DATE_TIME, value, "not a FHIR dateTime")


def instant(value: object) -> str:
    """Read an instant: a moment with seconds and zone."""
    return _dated(_IS_INSTANT, value, "not a FHIR instant")


def _dated(form: re.Pattern[str], value: object, complaint: str) -> str:
    match = form.fullmatch(value) if isinstance(value, str) else None
    if match is None or match["year"] == "0000":
        raise ValueError(complaint)
    try:
        date(int(match["year"]), int(match["month"] or 1), int(match["day"] or 1))
    except ValueError:
        raise ValueError(complaint) from None
    return match.string
