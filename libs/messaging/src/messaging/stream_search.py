"""Finds where a stream goes beyond a place of its log, by some twenty looks."""

from collections.abc import Callable

from nats.js import JetStreamContext
from nats.js.errors import NotFoundError

from messaging.headers import MessageMalformed, Origin, origin_of

IsBeyond = Callable[[Origin], bool]


async def first_beyond(js: JetStreamContext, stream: str, last: int, is_beyond: IsBeyond) -> int:
    """Return the sequence after the last message, up to `last`, that is not beyond.

    A stream is in the order of its log. Messages that no relay published are passed over: those
    among what is not beyond hide nothing.
    """
    low, high = 1, last + 1
    while low < high:
        middle = (low + high) // 2
        found = await _first_readable(js, stream, middle, high)
        if found is not None and not is_beyond(found[1]):
            low = found[0] + 1
        else:
            high = middle
    return low


async def _first_readable(
    js: JetStreamContext, stream: str, sequence: int, end: int
) -> tuple[int, Origin] | None:
    """Give the first message of a relay at or after a sequence, None when none is before `end`."""
    while sequence < end:
        try:
            message = await js.get_msg(stream, seq=sequence, subject=">", next=True)
        except NotFoundError:
            return None
        sequence = message.seq or end
        if sequence >= end:
            return None
        try:
            return sequence, origin_of(message.headers or {})
        except MessageMalformed:
            sequence += 1
    return None
