"""Follows the log and keeps each tenant's board, in memory, up to date."""

import asyncio
from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, cast

from careline.log.v1.recorded_event_pb2 import EventMetadata
from careline.routing.events.v1.events_pb2 import ContactEnqueued
from eventstore.event import RecordedEvent
from eventstore.event_log import EventLog
from runtime.event_codec import LogCodec

from routing.domain.board import Board, RoutingEvent

_OWN: Final = "careline.routing.events.v1."
_ENQUEUED: Final = ContactEnqueued.DESCRIPTOR.full_name


@dataclass(frozen=True, slots=True)
class Cause:
    """What a decision about a contact goes back to: the event that put it into its queue."""

    event_id: str
    correlation_id: str
    traceparent: str
    tracestate: str


class Boards:
    """Every tenant's board, as of `position`. `run` must be running."""

    def __init__(self, log: EventLog, codec: LogCodec) -> None:
        self._log = log
        self._codec = codec
        self._boards: defaultdict[str, Board] = defaultdict(Board)
        self._causes: dict[tuple[str, str], Cause] = {}
        self._moved = asyncio.Condition()
        self.position = 0

    def __getitem__(self, tenant: str) -> Board:
        return self._boards[tenant]

    @property
    def tenants(self) -> tuple[str, ...]:
        return tuple(self._boards)

    async def run(self) -> None:
        """Follow the log until cancelled."""
        async for page in self._log.subscribe(after=0):
            for event in page.events:
                if event.type.startswith(_OWN):
                    self._apply(event)
            async with self._moved:
                self.position = page.position
                self._moved.notify_all()

    def _apply(self, event: RecordedEvent) -> None:
        tenant, name = event.stream.tenant, event.stream.name
        self._boards[tenant].apply(name, cast("RoutingEvent", self._codec.decode(event)))
        if event.type == _ENQUEUED:
            known = EventMetadata.FromString(event.metadata)
            self._causes[tenant, name] = Cause(
                str(event.id), known.correlation_id, known.traceparent, known.tracestate
            )
        elif not self._boards[tenant].is_open(name):
            self._causes.pop((tenant, name), None)

    def cause(self, tenant: str, contact: str) -> Cause | None:
        """Give what put a contact into its queue, None when the contact is over."""
        return self._causes.get((tenant, contact))

    async def reached(self, position: int, seconds: float) -> None:
        """Return once the boards hold the log up to `position`; raises TimeoutError."""
        async with asyncio.timeout(seconds), self._moved:
            await self._moved.wait_for(lambda: self.position >= position)

    async def caught_up(self, seconds: float) -> None:
        """Return once the boards hold all that the log holds now; raises TimeoutError."""
        await self.reached((await self._log.head()).position, seconds)

    async def moved_past(self, position: int, seconds: float | None) -> None:
        """Return once the boards hold more than up to `position`, or after some seconds."""
        await self.changed(lambda: self.position > position, seconds)

    async def changed(self, is_so: Callable[[], bool], seconds: float | None) -> None:
        """Return as soon as something is so on the boards, or after some seconds."""
        try:
            async with asyncio.timeout(seconds), self._moved:
                await self._moved.wait_for(is_so)
        except TimeoutError:
            return
