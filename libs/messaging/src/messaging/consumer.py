"""Handles every event of another service once, in order, each with its effect in one transaction.

The position in the consumer's own database decides what is done; the server's acknowledgements
only tell where to start delivering. One process consumes at a time, others wait for its lock.
"""

import asyncio
import logging
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field

from eventstore.backoff import Backoff
from nats.aio.msg import Msg
from nats.errors import Error as NatsError
from sqlalchemy.ext.asyncio import AsyncEngine

from messaging.acknowledger import Acknowledger
from messaging.connect import ConnectionClosed, NatsClient
from messaging.consumer_position import ConsumerPosition, Place
from messaging.consumer_status import ConsumerProgress, ConsumerStatus
from messaging.failures import stuck_by
from messaging.first_failure import until_one_fails
from messaging.gap import missing_events
from messaging.handling import Handling
from messaging.headers import OMITTED, MessageMalformed, received_event
from messaging.in_order import Turn, turn_of
from messaging.lease import Lease, open_lease
from messaging.log_reader import LogReader
from messaging.names import Consumption
from messaging.pull import Pull, PullOptions, open_pull
from messaging.received_event import ReceivedEvent
from messaging.restored_log import RestoredLog
from messaging.retrying import Retries, Retrying
from messaging.rewind import is_stalled, rewind
from messaging.stuck import Reason, Stuck

_log = logging.getLogger(__name__)

_FLUSH_SECONDS = 1.0


@dataclass(frozen=True, slots=True)
class ConsumerOptions:
    """`batch` bounds the events of one transaction: those that have arrived, none is waited for.

    `retries` says how often a failing event is tried, and whether it is parked then. Seconds:
    `campaign_every` between two tries to become the consumer.
    """

    batch: int = 100
    pull: PullOptions = field(default_factory=PullOptions)
    retries: Retries = field(default_factory=Retries)
    backoff: Backoff = field(default_factory=Backoff)
    campaign_every: float = 0.5


class Consumer:
    """`run` consumes without end; whatever fails is shown by `status` and tried again.

    `schema` holds messaging's tables and what the handler writes. `reader` fills gaps from the
    source's log.
    """

    def __init__(
        self,
        engine: AsyncEngine,
        schema: str,
        client: NatsClient,
        consumption: Consumption,
        handling: Handling,
        reader: LogReader,
        *,
        options: ConsumerOptions | None = None,
    ) -> None:
        self._engine = engine
        self._schema = schema
        self._client = client
        self._consumption = consumption
        self._reader = reader
        self._options = options or ConsumerOptions()
        self._position = ConsumerPosition(schema, consumption)
        self._progress = ConsumerProgress(consumption)
        self._work = Retrying(
            engine, schema, consumption, handling, self._progress, self._options.retries
        )
        self._restored = RestoredLog(engine, schema, consumption, handling, reader)
        self._failures = 0

    def status(self) -> ConsumerStatus:
        return self._progress.status()

    async def run(self) -> None:
        """Consume until cancelled. Raises ConnectionClosed when NATS has ended the connection."""
        lock = f"consumer/{self._consumption.durable}/{self._consumption.source}"
        while True:
            try:
                async with open_lease(self._engine, self._schema, lock) as lease:
                    await self._campaign(lease)
                    await until_one_fails(lease.watch(), self._lead())
            except ConnectionClosed:
                raise
            # Whatever it is shows in the status and is tried again.
            except Exception as error:  # noqa: BLE001
                await self._hold(error)
            finally:
                self._progress.active = False

    async def _campaign(self, lease: Lease) -> None:
        while not await lease.try_take():
            self._failures = 0
            self._progress.runs()
            await asyncio.sleep(self._options.campaign_every)
        self._progress.active = True

    async def _lead(self) -> None:
        """Consume, and start anew from the acknowledged whenever something failed."""
        while True:
            if not self._client.is_connected:
                self._progress.stops(Stuck(Reason.NATS_AWAY))
            await self._client.wait_connected()
            try:
                await self._consume()
            # A lost lease ends this from outside; all else is tried again with it.
            except Exception as error:  # noqa: BLE001
                await self._hold(error)

    async def _consume(self) -> None:
        async with self._engine.begin() as connection:
            place = await self._position.open(connection)
        self._progress.place = place
        await rewind(self._client.jetstream(), self._consumption)
        acknowledger = Acknowledger(self._client)
        async with open_pull(self._client, self._consumption, self._options.pull) as pull:
            try:
                await until_one_fails(self._follow(pull, acknowledger, place), acknowledger.run())
            finally:
                # What is not acknowledged is delivered again and known by its position.
                with suppress(NatsError, TimeoutError):
                    async with asyncio.timeout(_FLUSH_SECONDS):
                        await acknowledger.flush()

    async def _follow(self, pull: Pull, acknowledger: Acknowledger, place: Place) -> None:
        was_stalled = False
        while True:
            messages = await pull.next(self._options.batch)
            if messages:
                place = await self._take(messages, place)
                acknowledger.done(messages[-1])
                was_stalled = False
            else:
                # Once may be an event that is just arriving, twice is none.
                stalled = await is_stalled(self._client.jetstream(), self._consumption)
                if stalled and was_stalled:
                    raise Stuck(Reason.DELIVERY_STALLED)
                was_stalled = stalled
            self._recovered()

    async def _take(self, messages: Sequence[Msg], place: Place) -> Place:
        """Handle what is new among the messages, and what is missing before them."""
        pending = messages[-1].metadata.num_pending
        fresh: list[ReceivedEvent] = []
        for message in messages:
            event = self._read(message)
            if event is None:
                continue
            ahead = Place.of(fresh[-1]) if fresh else place
            if event.epoch > ahead.epoch > 0:
                place = await self._apply(fresh, place, pending)
                ahead = place = await self._restored.enter(place, event.epoch)
                fresh = []
            turn = turn_of(event, ahead)
            omitted = OMITTED in (message.headers or {})
            if turn is Turn.NEXT and not omitted:
                fresh.append(event)
            elif turn is not Turn.DONE:
                place = await self._apply(fresh, place, pending)
                fresh = [] if omitted else [event]
                until = event.position if omitted else event.previous_position
                place = await self._fill(place, until, pending)
        return await self._apply(fresh, place, pending)

    def _read(self, message: Msg) -> ReceivedEvent | None:
        """Read a message; a malformed one is none of ours, and what it hides shows as a gap."""
        try:
            event = received_event(message.subject, message.headers or {}, message.data)
        except MessageMalformed as error:
            _log.error(
                "message is malformed and ignored",
                extra={"stream": self._consumption.stream, "detail": error.header},
            )
            return None
        if event.source != self._consumption.source:
            _log.error(
                "event of another service is ignored", extra={"stream": self._consumption.stream}
            )
            return None
        return event

    async def _apply(self, events: Sequence[ReceivedEvent], place: Place, pending: int) -> Place:
        if events:
            self._progress.received(len(events), pending, events[0])
            place = await self._work.apply(events, place)
        self._progress.handled(place, pending)
        return place

    async def _fill(self, place: Place, until: int, pending: int) -> Place:
        """Read from the source's log what lies between, and handle it. Raises Stuck: GAP."""
        _log.warning(
            "events are missing after position %d up to %d, reading them from the log",
            place.position,
            until,
            extra={"consumer": self._consumption.durable, "source": self._consumption.source},
        )
        self._progress.stops(Stuck(Reason.GAP))
        batches = missing_events(self._reader, place, until, batch=self._options.batch)
        async for missing in batches:
            place = await self._apply(missing, place, pending)
            self._progress.filled += len(missing)
        return place

    def _recovered(self) -> None:
        self._failures = 0
        self._progress.runs()

    async def _hold(self, error: Exception) -> None:
        """Say that it is stuck and why, and wait before the next try."""
        stuck = stuck_by(error)
        self._failures += 1
        pause = self._options.backoff.after(self._failures)
        self._progress.stops(stuck)
        _log.warning(
            "consumer is stuck, next try in %.1f s",
            pause,
            extra={"consumer": self._consumption.durable, **stuck.log_fields},
        )
        await asyncio.sleep(pause)
