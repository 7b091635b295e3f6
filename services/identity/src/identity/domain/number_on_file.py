"""Which number on a patient's file a one-time code goes to."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Final

from identity.domain.identifiers import phone_number

_SYSTEMS: Final = frozenset({"phone", "sms"})
_PREFERENCE: Final = {"mobile": 0, "home": 1, "": 2, "work": 3, "temp": 4}


@dataclass(frozen=True, slots=True)
class Number:
    """A contact point of a record, in FHIR's words; `since` is a FHIR dateTime or empty."""

    system: str
    use: str
    value: str
    since: str = ""


@dataclass(frozen=True, slots=True)
class NumberPolicy:
    """A number must be on file for `on_file_for`: one that was changed just now may be a thief's.

    `unknown_is_old`: whether a number counts whose day is not known.
    """

    on_file_for: timedelta = timedelta(days=30)
    unknown_is_old: bool = True


def number_for_code(numbers: Iterable[Number], *, at: datetime, policy: NumberPolicy) -> str | None:
    """Give the number as "+" and digits, mobiles first and else in the record's order."""
    usable = [
        (_PREFERENCE[number.use], number.system != "sms", place, normal)
        for place, number in enumerate(numbers)
        if number.system in _SYSTEMS
        and number.use in _PREFERENCE
        and (normal := phone_number(number.value))
        and _is_old_enough(number.since, at, policy)
    ]
    return min(usable)[-1] if usable else None


def _is_old_enough(since: str, at: datetime, policy: NumberPolicy) -> bool:
    if not since:
        return policy.unknown_is_old
    first = _latest_reading(since)
    return first is not None and first <= at - policy.on_file_for


def _latest_reading(written: str) -> datetime | None:
    """Read a FHIR dateTime, a year or a month only as the last moment that it may mean."""
    try:
        if len(written) == len("2024"):
            return datetime(int(written), 12, 31, tzinfo=UTC)
        if len(written) == len("2024-05"):
            first = date.fromisoformat(f"{written}-01")
            return datetime(first.year, first.month, 1, tzinfo=UTC) + timedelta(days=31)
        read = datetime.fromisoformat(written)
    except ValueError:
        return None
    return read if read.tzinfo is not None else read.replace(tzinfo=UTC)
