"""Writes the trail: an entry for each event of another service's log, once."""

from eventstore.expected_revision import ExpectedRevision
from eventstore.stream_id import StreamId
from messaging.received_event import ReceivedEvent
from runtime.event_recorder import EventRecorder
from runtime.idempotency import Requests
from sqlalchemy.ext.asyncio import AsyncConnection

from audit.application.entries import entry_of
from audit.domain.trail import trail_of


class TrailRecorder:
    """Handles the events of one source; handled twice, an event still has one entry."""

    def __init__(self, recorder: EventRecorder, requests: Requests, consumer: str) -> None:
        self._recorder = recorder
        self._requests = requests
        self._consumer = consumer

    async def handle(self, _: AsyncConnection, event: ReceivedEvent) -> None:
        """Append the entry. The entry's id comes from the event's, so a second try appends none."""
        entry = entry_of(event)
        request = await self._requests.reaction_to(event, consumer=self._consumer)
        stream = StreamId(event.stream.tenant, trail_of(entry.source))
        await self._recorder.append(stream, entry, request, expected=ExpectedRevision.ANY)
