"""Records what nobody foresaw: types and places, never a message, for messages hold values."""

import logging
import traceback
import uuid
from typing import Final

_log = logging.getLogger(__name__)
_MOST_FRAMES: Final = 60
_MOST_CAUSES: Final = 8


def record_incident(error: BaseException, during: str) -> str:
    """Log an error's types and frames under a new incident id and give the id.

    `during` is the method or the work that failed.
    """
    incident = str(uuid.uuid4())
    causes = causes_of(error)
    _log.error(
        "unforeseen error",
        extra={
            "incident": incident,
            "during": during,
            "error": type_name(error),
            "causes": [type_name(cause) for cause in causes[1:]],
            "frames": frames_of(causes),
        },
    )
    return incident


def type_name(error: BaseException) -> str:
    """Give an error's type as "module.Name"."""
    kind = type(error)
    return (
        kind.__qualname__
        if kind.__module__ == "builtins"
        else f"{kind.__module__}.{kind.__qualname__}"
    )


def causes_of(error: BaseException) -> list[BaseException]:
    """List the error and what it came from, the members of groups included."""
    waiting = [error]
    found: list[BaseException] = []
    while waiting and len(found) < _MOST_CAUSES:
        current = waiting.pop(0)
        found.append(current)
        if isinstance(current, BaseExceptionGroup):
            waiting += current.exceptions
        context = None if current.__suppress_context__ else current.__context__
        following = current.__cause__ or context
        if following is not None:
            waiting.append(following)
    return found


def frames_of(causes: list[BaseException]) -> list[str]:
    """List where errors were raised, as "file:line function"."""
    frames = [frame for cause in causes for frame in traceback.extract_tb(cause.__traceback__)]
    return [f"{frame.filename}:{frame.lineno} {frame.name}" for frame in frames[:_MOST_FRAMES]]
