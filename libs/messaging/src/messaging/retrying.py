"""Handles events until they are handled, parked, or nothing can be done."""

import asyncio
import logging
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from eventstore.backoff import Backoff
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from messaging.consumer_position import ConsumerPosition, Place
from messaging.consumer_status import ConsumerProgress
from messaging.dead_letters import DeadLetterBox
from messaging.handling import HandlerFailed, Handling, RetryLater
from messaging.names import Consumption
from messaging.received_event import ReceivedEvent
from messaging.stuck import Reason, Stuck

_log = logging.getLogger(__name__)

_DATABASE_SECONDS = 30.0


@dataclass(frozen=True, slots=True)
class Retries:
    """A failing event is tried `attempts` times, then parked as a dead letter.

    `strict`: none is parked, the consumer stays before it. `handler` bounds, in seconds, how long
    the handler may take for what it is given at once.
    """

    attempts: int = 8
    strict: bool = False
    backoff: Backoff = field(default_factory=Backoff)
    handler: float = 60.0


class Retrying:
    """Moves a consumer over events, each with its effect; tells `progress` what holds it up."""

    def __init__(
        self,
        engine: AsyncEngine,
        schema: str,
        consumption: Consumption,
        handling: Handling,
        progress: ConsumerProgress,
        retries: Retries,
    ) -> None:
        self._engine = engine
        self._consumer = consumption.durable
        self._position = ConsumerPosition(schema, consumption)
        self._box = DeadLetterBox(schema, consumption)
        self._handling = handling
        self._progress = progress
        self._retries = retries

    async def apply(self, events: Sequence[ReceivedEvent], place: Place) -> Place:
        """Handle events that follow a place, all in one transaction unless one of them fails.

        Raises Fenced, Stuck for a strict consumer, and what the database raises.
        """
        try:
            return await self._handle(events, place)
        except (HandlerFailed, RetryLater):
            # One by one, so that those before the failing one are done.
            for event in events:
                place = await self._insist(event, place)
            return place

    async def _insist(self, event: ReceivedEvent, place: Place) -> Place:
        """Handle one event, again and again, and park it when that is of no use."""
        failures = 0
        waits = 0
        while True:
            try:
                return await self._handle([event], place)
            except RetryLater as later:
                waits += 1
                await self._pause(Stuck(Reason.RETRY_LATER, later.reason), waits)
            except HandlerFailed as failed:
                failures += 1
                if failures >= self._retries.attempts:
                    return await self._give_up(event, place, failed, failures)
                await self._pause(Stuck(Reason.HANDLER_FAILING, failed.error_type), failures)

    async def _handle(self, events: Sequence[ReceivedEvent], place: Place) -> Place:
        """Move first, so that a rival waits there and handles none of them."""
        async with self._transaction() as connection:
            reached = Place.of(events[-1])
            await self._position.move(connection, place, reached)
            try:
                async with asyncio.timeout(self._retries.handler):
                    await self._handling.handle(connection, events)
            except TimeoutError as error:
                raise HandlerFailed(error) from error
        return reached

    async def _give_up(
        self, event: ReceivedEvent, place: Place, failed: HandlerFailed, attempts: int
    ) -> Place:
        if self._retries.strict:
            raise Stuck(Reason.HELD_BY_EVENT, f"{failed.error_type} at {event.position}")
        async with self._transaction() as connection:
            reached = Place.of(event)
            await self._position.move(connection, place, reached)
            await self._box.park(connection, event, failed, attempts)
        self._progress.parked += 1
        _log.error(
            "consumer gave up on an event and parked it",
            extra={
                "consumer": self._consumer,
                "source": event.source,
                "position": event.position,
                "attempts": attempts,
                "reason": failed.reason,
                "error": failed.error_type,
            },
        )
        return reached

    @asynccontextmanager
    async def _transaction(self) -> AsyncIterator[AsyncConnection]:
        # Longer than the handler may take: what runs out of this time is the database's doing.
        seconds = self._retries.handler + _DATABASE_SECONDS
        async with asyncio.timeout(seconds), self._engine.begin() as connection:
            yield connection

    async def _pause(self, stuck: Stuck, tries: int) -> None:
        pause = self._retries.backoff.after(tries)
        self._progress.stops(stuck)
        _log.warning(
            "consumer is held up by an event, next try in %.1f s",
            pause,
            extra={"consumer": self._consumer, **stuck.log_fields},
        )
        await asyncio.sleep(pause)
