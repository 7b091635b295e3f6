"""FHIR dates and dateTimes as moments: a text that says less than a moment is a span of time."""

import re
from calendar import monthrange
from datetime import UTC, datetime, timedelta
from typing import Final

_YEAR: Final = len("2024")
_MONTH: Final = len("2024-05")
_DAY: Final = len("2024-05-17")
_LEAP_SECOND = re.compile(r":60(?=[.Z+-])")


def first_moment(written: str) -> datetime:
    """Give the first moment that a checked FHIR date or dateTime may mean; UTC where it is silent.

    Raises ValueError for what is none.
    """
    if len(written) == _YEAR:
        return datetime(int(written), 1, 1, tzinfo=UTC)
    if len(written) == _MONTH:
        return datetime(int(written[:_YEAR]), int(written[_YEAR + 1 :]), 1, tzinfo=UTC)
    moment = datetime.fromisoformat(_LEAP_SECOND.sub(":59", written))
    return moment if moment.tzinfo is not None else moment.replace(tzinfo=UTC)


def last_moment(written: str) -> datetime:
    """Give the last moment that it may mean."""
    first = first_moment(written)
    if len(written) == _YEAR:
        return first.replace(month=12, day=31, hour=23, minute=59, second=59)
    if len(written) == _MONTH:
        _, days = monthrange(first.year, first.month)
        return first.replace(day=days, hour=23, minute=59, second=59)
    if len(written) == _DAY:
        return first + timedelta(days=1, seconds=-1)
    return first
