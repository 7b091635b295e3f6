"""Tells which of a service's own events react to events that a restored log no longer has."""

from collections import defaultdict
from dataclasses import dataclass, field
from typing import Final

from careline.log.events.v1.events_pb2 import ReactionsRetracted
from careline.log.v1.recorded_event_pb2 import EventMetadata
from eventstore.event import RecordedEvent
from eventstore.event_log import EventLog
from eventstore.stream_id import StreamId
from messaging.retraction import Retraction
from sqlalchemy.ext.asyncio import AsyncConnection

from runtime.event_recorder import EventRecorder
from runtime.idempotency import Requests
from runtime.retraction_request import record_retraction

RETRACTION_EVENTS: Final = (ReactionsRetracted,)
MOST_NAMED: Final = 100


class RetractedReactions:
    """Undoes nothing: a call that was answered is answered. People read what may have to be undone.

    That fits services whose reactions are events of their own log, and nothing else.
    """

    def __init__(
        self, service: str, log: EventLog, recorder: EventRecorder, requests: Requests
    ) -> None:
        self._service = service
        self._log = log
        self._recorder = recorder
        self._requests = requests

    async def retract(self, _: AsyncConnection, retraction: Retraction) -> None:
        """Append to each tenant concerned what is about; a second try appends none."""
        found: defaultdict[str, _Found] = defaultdict(_Found)
        async for event in self._log.read_log():
            if _reacts_to(event, retraction):
                found[event.stream.tenant].add(event)
        for tenant, reactions in sorted(found.items()):
            await self._tell(tenant, reactions, retraction)

    async def _tell(self, tenant: str, reactions: "_Found", retraction: Retraction) -> None:
        event = ReactionsRetracted(
            service=retraction.source,
            followed_epoch=retraction.from_epoch,
            restored_epoch=retraction.to_epoch,
            after_position=retraction.after,
            until_position=retraction.until,
            count=reactions.count,
            reactions=reactions.named,
        )
        stream = StreamId(tenant, f"retractions/{retraction.source}")
        await record_retraction(
            self._recorder,
            self._requests,
            retraction,
            stream,
            event,
            service=self._service,
            method="retractReactions",
        )


@dataclass(slots=True)
class _Found:
    """How many events of a tenant react, and the first of them: never all, which may be many."""

    count: int = 0
    named: list[ReactionsRetracted.Reaction] = field(default_factory=list)

    def add(self, event: RecordedEvent) -> None:
        self.count += 1
        if len(self.named) < MOST_NAMED:
            self.named.append(
                ReactionsRetracted.Reaction(
                    stream=event.stream.name, event_id=str(event.id), type=event.type
                )
            )


def _reacts_to(event: RecordedEvent, retraction: Retraction) -> bool:
    cause = EventMetadata.FromString(event.metadata).cause
    return (
        cause.service == retraction.source
        # What an earlier epoch had and this one kept has its old position.
        and cause.epoch <= retraction.from_epoch
        and retraction.after < cause.position <= retraction.until
    )
