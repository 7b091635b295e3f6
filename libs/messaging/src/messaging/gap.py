"""Reads what a stream does not have from the source's own log, and trusts it no more than that."""

from collections.abc import AsyncGenerator

from messaging.consumer_position import Place
from messaging.in_order import Turn, turn_of
from messaging.log_reader import LogReader
from messaging.received_event import ReceivedEvent
from messaging.stuck import Reason, Stuck


async def missing_events(
    reader: LogReader, place: Place, until: int, *, batch: int
) -> AsyncGenerator[list[ReceivedEvent], None]:
    """Yield every event after a place up to `until`, in batches, each following the one before.

    Raises Stuck: GAP when the log cannot be read, ends before, or has a gap itself.
    """
    some: list[ReceivedEvent] = []
    try:
        async for event in reader.read(place.position, until):
            place = _next_place(event, place, until)
            some.append(event)
            if len(some) == batch:
                yield some
                some = []
    except Stuck:
        raise
    # A reader calls another service: whatever it raises, the gap stays and is tried again.
    except Exception as error:
        raise Stuck(Reason.GAP, type(error).__name__) from error
    if place.position != until:
        raise Stuck(Reason.GAP, "the source's log ends before")
    if some:
        yield some


def _next_place(event: ReceivedEvent, place: Place, until: int) -> Place:
    if event.position > until or turn_of(event, place) is not Turn.NEXT:
        raise Stuck(Reason.GAP, "the source's log contradicts the stream")
    return Place.of(event)
