"""A moment as it is typed: a position of a log, or a time."""

from datetime import datetime

import typer
from careline.log.v1.as_of_pb2 import AsOf
from google.protobuf.timestamp_pb2 import Timestamp

_HINT = "--as-of"
_MOST_DIGITS = 18


def moment(text: str) -> AsOf:
    """Read digits as a position, else ISO 8601 with its zone as a time; BadParameter for others."""
    if text.isascii() and text.isdigit() and len(text) <= _MOST_DIGITS:
        return AsOf(position=int(text))
    try:
        time = datetime.fromisoformat(text)
    except ValueError:
        time = None
    if time is None or time.tzinfo is None:
        raise typer.BadParameter(
            "a position, or a time with its zone, as 2026-03-01T12:00:00Z", param_hint=_HINT
        )
    stamp = Timestamp()
    stamp.FromDatetime(time)
    return AsOf(time=stamp)
