"""One queue: where contacts of one matter wait."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from careline.routing.events.v1.events_pb2 import QueueCreated
from eventstore.decider import Rejected
from google.protobuf.duration_pb2 import Duration

DEFAULT_OFFER_TIMEOUT: Final = timedelta(seconds=20)
SHORTEST_OFFER_TIMEOUT: Final = timedelta(seconds=5)
LONGEST_OFFER_TIMEOUT: Final = timedelta(seconds=120)


@dataclass(frozen=True, slots=True)
class Queue:
    """What the next decision needs to know."""

    exists: bool = False
    display_name: str = ""
    offer_timeout: timedelta = DEFAULT_OFFER_TIMEOUT


def evolve(_: Queue, event: QueueCreated) -> Queue:
    return Queue(
        exists=True,
        display_name=event.display_name,
        offer_timeout=event.offer_timeout.ToTimedelta(),
    )


def create(queue: Queue, *, display_name: str, offer_timeout: timedelta) -> list[QueueCreated]:
    """Create it; again with the same words is the same queue."""
    if queue.exists:
        if (queue.display_name, queue.offer_timeout) == (display_name, offer_timeout):
            return []
        raise Rejected("NAME_TAKEN")
    timeout = Duration()
    timeout.FromTimedelta(offer_timeout)
    return [QueueCreated(display_name=display_name, offer_timeout=timeout)]
