"""Which watchers an event of the log concerns, besides those of its conversation."""

from collections.abc import Hashable, Iterator
from typing import Final

from careline.conversations.events.v1.events_pb2 import DeliveryQueued
from eventstore.event import RecordedEvent

from conversations.application.delivering import bell_of

_QUEUED: Final = DeliveryQueued.DESCRIPTOR.full_name


def bells_of(event: RecordedEvent) -> Iterator[Hashable]:
    """Name the frontend that is to send something out."""
    if event.type == _QUEUED:
        yield bell_of(event.stream.tenant, DeliveryQueued.FromString(event.data).frontend)
