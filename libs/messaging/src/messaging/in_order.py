"""Sorts what a stream delivers into done before, next, and missing."""

from enum import Enum, auto

from messaging.consumer_position import Place
from messaging.received_event import ReceivedEvent
from messaging.stuck import Reason, Stuck


class Turn(Enum):
    """Where an event stands to what is done."""

    DONE = auto()
    NEXT = auto()
    AFTER_A_GAP = auto()


def turn_of(event: ReceivedEvent, place: Place) -> Turn:
    """Compare an event with how far a consumer is, by position and previous position.

    Raises Stuck when they cannot be compared, as an event of another epoch than the one the
    consumer is in: a newer one is entered first (`restored_log`), an older one is history.
    """
    if place.epoch not in (0, event.epoch):
        raise Stuck(Reason.OTHER_EPOCH, f"{place.epoch} to {event.epoch}")
    if event.position <= place.position:
        return Turn.DONE
    if event.previous_position == place.position:
        return Turn.NEXT
    if event.previous_position < place.position:
        raise Stuck(Reason.FORKED)
    return Turn.AFTER_A_GAP
