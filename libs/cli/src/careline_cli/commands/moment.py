"""A moment as it is typed: a position of a log, or a time."""

from datetime import UTC, datetime

import typer
from careline.log.v1.as_of_pb2 import AsOf
from google.protobuf.timestamp_pb2 import Timestamp

_MOST_DIGITS = 18


def moment(text: str, option: str) -> int | datetime:
    """Read digits as a position, else ISO 8601 with its zone as a time; BadParameter for others."""
    if text.isascii() and text.isdigit() and len(text) <= _MOST_DIGITS:
        return int(text)
    return _time(text, option, "a position, or a time with its zone, as 2026-03-01T12:00:00Z")


def time_of(text: str, option: str) -> datetime:
    """Read ISO 8601 with its zone; BadParameter for others."""
    return _time(text, option, "a time with its zone, as 2026-03-01T12:00:00Z")


def _time(text: str, option: str, wanted: str) -> datetime:
    try:
        time = datetime.fromisoformat(text)
    except ValueError:
        time = None
    if time is None or time.tzinfo is None:
        raise typer.BadParameter(wanted, param_hint=option)
    return time.astimezone(UTC)


def as_of(text: str) -> AsOf:
    """Read the moment that a request asks about."""
    read = moment(text, "--as-of")
    if isinstance(read, int):
        return AsOf(position=read)
    stamp = Timestamp()
    stamp.FromDatetime(read)
    return AsOf(time=stamp)
