"""Tells which entries have no event any more, once a service's log was restored from a copy."""

import asyncio
from collections.abc import Mapping
from typing import Final, Protocol
from uuid import UUID

from careline.audit.events.v1.events_pb2 import EntriesRetracted
from eventstore.expected_revision import ExpectedRevision
from eventstore.ids import event_id, request_key
from eventstore.stream_id import StreamId
from messaging.retraction import Retraction
from runtime.event_recorder import EventRecorder
from runtime.idempotency import Requests
from runtime.principal import service_principal
from runtime.request_context import RequestContext, acting_in
from sqlalchemy.ext.asyncio import AsyncConnection

from audit.domain.trail import retractions_of

_ACTION: Final = "audit.retractEntries"
_APPEND_SECONDS: Final = 30.0


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
        about = _id_of(retraction)
        event = EntriesRetracted(
            service=retraction.source,
            followed_epoch=retraction.from_epoch,
            restored_epoch=retraction.to_epoch,
            after_position=retraction.after,
            until_position=retraction.until,
            entries=number,
        )
        stream = StreamId(tenant, retractions_of(retraction.source))
        with acting_in(_own_request(tenant, about)):
            request = await self._requests.own_decision(about)
            await self._recorder.append(stream, event, request, expected=ExpectedRevision.ANY)


def _id_of(retraction: Retraction) -> UUID:
    """Give the same id for the same retraction, whoever tries it how often."""
    epochs = (str(retraction.from_epoch), str(retraction.to_epoch))
    return event_id(request_key(_ACTION, retraction.source, *epochs), 0, None)


def _own_request(tenant: str, about: UUID) -> RequestContext:
    return RequestContext(
        action=_ACTION,
        method=_ACTION,
        principal=service_principal("audit"),
        tenant=tenant,
        purpose=None,
        deadline=asyncio.get_running_loop().time() + _APPEND_SECONDS,
        correlation_id=str(about),
    )
