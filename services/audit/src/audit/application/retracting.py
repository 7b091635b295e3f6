"""Tells which entries have no event any more, once a service's log was restored from a copy."""

from collections.abc import Mapping
from typing import Protocol

from careline.audit.events.v1.events_pb2 import EntriesRetracted
from eventstore.stream_id import StreamId
from messaging.retraction import Retraction
from runtime.event_recorder import EventRecorder
from runtime.idempotency import Requests
from runtime.retraction_request import record_retraction
from sqlalchemy.ext.asyncio import AsyncConnection

from audit.domain.trail import retractions_of


class Trail(Protocol):
    """Finds entries by where they come from."""

    async def entries_beyond(
        self, connection: AsyncConnection, retraction: Retraction
    ) -> Mapping[str, int]:
        """Count by tenant all entries of retracted events; RetryLater while some may lack."""


class TrailRetractor:
    """Undoes nothing: an access took place, whatever its service's log has lost since."""

    def __init__(self, recorder: EventRecorder, requests: Requests, trail: Trail) -> None:
        self._recorder = recorder
        self._requests = requests
        self._trail = trail

    async def retract(self, connection: AsyncConnection, retraction: Retraction) -> None:
        """Append to each tenant's trail what it is about; a second try appends none."""
        entries = await self._trail.entries_beyond(connection, retraction)
        for tenant, number in sorted(entries.items()):
            await self._tell(tenant, number, retraction)

    async def _tell(self, tenant: str, number: int, retraction: Retraction) -> None:
        event = EntriesRetracted(
            service=retraction.source,
            followed_epoch=retraction.from_epoch,
            restored_epoch=retraction.to_epoch,
            after_position=retraction.after,
            until_position=retraction.until,
            entries=number,
        )
        stream = StreamId(tenant, retractions_of(retraction.source))
        await record_retraction(
            self._recorder,
            self._requests,
            retraction,
            stream,
            event,
            service="audit",
            method="retractEntries",
        )
