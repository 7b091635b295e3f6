"""Checks of fields that callers send; a refusal names the field, never what was in it."""

import re
from collections.abc import Collection
from datetime import UTC, datetime, timedelta
from typing import Final

from google.protobuf.duration_pb2 import Duration
from google.protobuf.timestamp_pb2 import Timestamp

from runtime.refusal import field_invalid

_ETAG: Final = re.compile(r"0|[1-9][0-9]{0,17}")
_NANOSECONDS: Final = 1_000_000_000


def etag_of(text: str) -> int | None:
    """Give the revision that was read; None for an empty etag, which takes whatever there is."""
    if not text:
        return None
    if _ETAG.fullmatch(text) is None:
        raise field_invalid("etag", "an etag as it was read, or nothing")
    return int(text)


def word_of(word: str, known: Collection[str], field: str) -> str:
    """Give back one of the known words."""
    if word not in known:
        raise field_invalid(field, f"one of {', '.join(sorted(known))}")
    return word


def moment_of(stamp: Timestamp, field: str) -> datetime:
    """Read a time in UTC."""
    try:
        return stamp.ToDatetime(UTC)
    except (ValueError, OverflowError):
        raise field_invalid(field, "a time from year 1 to 9999") from None


def duration_of(
    value: Duration, field: str, *, shortest: timedelta, longest: timedelta, expected: str
) -> timedelta:
    """Read a duration within bounds, which `expected` says in words."""
    # Compared before it is converted: a duration may be too long for Python.
    if (
        not 0 <= value.seconds <= longest.total_seconds()
        or not 0 <= value.nanos < _NANOSECONDS
        or not shortest <= value.ToTimedelta() <= longest
    ):
        raise field_invalid(field, expected)
    return value.ToTimedelta()
