"""Verifies a service's stream against its log, and makes it anew from the log."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing, asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from eventstore.event_log import EventLog, Head
from eventstore.postgres.epochs import raise_epoch
from eventstore.step_progress import StepProgress
from sqlalchemy.ext.asyncio import AsyncEngine

from messaging.cancellation import cancel_until_ended
from messaging.connect import NatsClient
from messaging.lease import open_lease
from messaging.names import Consumption
from messaging.relay import Relay
from messaging.statements import load_statements
from messaging.stored_messages import StoredMessage, stored_messages
from messaging.stream_check import StreamCheck, Stretch, compare
from messaging.stream_tail import StreamTail, read_tail, tail_if_any
from messaging.streams import make_stream_anew, starts_after, stream_config
from messaging.stuck import Reason, Stuck

_LOOK_SECONDS = 0.1
_STALLED_SECONDS = 60.0
# A stream is filled to a half: what comes next needs room, and the server adds to each message.
_SHARE_OF_STREAM = 0.5
_BYTES_ASIDE = 1024


class ServiceRuns(Exception):
    """What is asked for needs all processes of a service to be stopped."""

    def __init__(self, service: str) -> None:
        super().__init__(
            f"{service} runs, and its log has to enter a new epoch: stop all its processes first"
        )
        self.service = service


class LogMoved(Exception):
    """The log entered a new epoch while it was looked at."""


@dataclass(frozen=True, slots=True)
class Upkeep:
    """What is needed to look after the stream of `reading.source`.

    `engine` reaches the log's schema with the rights of the service, `owner` with those of its
    owner. `reading` names the consumer that reads the stream, `consumptions` those that follow it.
    """

    log: EventLog
    engine: AsyncEngine
    schema: str
    client: NatsClient
    reading: Consumption
    consumptions: tuple[Consumption, ...] = ()
    owner: AsyncEngine | None = None

    @property
    def service(self) -> str:
        return self.reading.source


async def verify(upkeep: Upkeep, progress: StepProgress) -> StreamCheck:
    """Compare the log with the stream, as far as the stream acknowledged or holds it.

    Raises Stuck when NATS is not heard, LogMoved, and what the log raises.
    """
    # In this order: nothing that a later look finds can be missing in what an earlier one covers.
    checkpoint = await _checkpoint(upkeep)
    tail = await tail_if_any(upkeep.client.jetstream(), upkeep.service)
    head = await upkeep.log.head()
    stretch = _stretch(upkeep.service, checkpoint, tail, head)

    def done(position: int) -> None:
        progress("comparing", position - stretch.after, stretch.head - stretch.after)

    events = upkeep.log.read_log(after=stretch.after, until=stretch.head)
    async with aclosing(_messages(upkeep, tail)) as messages:
        check = await compare(stretch, events, messages, done)
    if (await upkeep.log.head()).epoch != head.epoch:
        raise LogMoved("the log entered a new epoch meanwhile: verify again")
    check.exists = tail is not None
    return check


async def rebuild(upkeep: Upkeep, found: StreamCheck, progress: StepProgress) -> StreamCheck:
    """Make the stream anew from the log, and return how both compare then.

    Services may run: relays and consumers notice, and go on. Where the log went back without a new
    epoch, it enters one first, for which the service must be stopped. Raises ServiceRuns, Stuck.
    """
    if found.log_went_back:
        async with _no_relay(upkeep):
            await _raise_epoch(upkeep, found.highest_position)
            await make_anew(upkeep)
    else:
        await make_anew(upkeep)
    await _publish(upkeep, progress)
    return await verify(upkeep, progress)


async def _checkpoint(upkeep: Upkeep) -> int:
    statement = load_statements(upkeep.schema)["read_relay_checkpoint"]
    async with upkeep.engine.connect() as connection:
        row = (await connection.exec_driver_sql(statement)).first()
    return int(row.position) if row else 0


def _stretch(service: str, checkpoint: int, tail: StreamTail | None, head: Head) -> Stretch:
    after, expired_before = 0, None
    if tail is not None:
        after = starts_after(tail.config)
        if tail.config.max_age:
            expired_before = datetime.now(UTC) - timedelta(seconds=tail.config.max_age)
    return Stretch(service, head.epoch, after, checkpoint, head.position, expired_before)


async def _messages(upkeep: Upkeep, tail: StreamTail | None) -> AsyncGenerator[StoredMessage, None]:
    if tail is None or not tail.message_sequence:
        return
    stored = stored_messages(upkeep.client, upkeep.reading, tail.message_sequence)
    async with aclosing(stored):
        async for message in stored:
            yield message


async def make_anew(upkeep: Upkeep) -> None:
    """Make the stream empty, for the relay to fill it from where the log fits into it."""
    config = await stream_config(upkeep.client.jetstream(), upkeep.service)
    after = await _fitting_after(upkeep.log, config.max_bytes or 0)
    await make_stream_anew(upkeep.client.jetstream(), config, upkeep.consumptions, after)


async def _fitting_after(log: EventLog, max_bytes: int) -> int:
    """Return the position after which the log's events fit into a stream; 0 when all do."""
    if max_bytes <= 0:
        return 0
    left = max_bytes * _SHARE_OF_STREAM
    async for event in log.read_log(backwards=True):
        left -= len(event.data) + 2 * len(event.metadata) + _BYTES_ASIDE
        if left < 0:
            return event.position
    return 0


@asynccontextmanager
async def _no_relay(upkeep: Upkeep) -> AsyncIterator[None]:
    """Hold the relay's lock, so that no process of the service publishes."""
    async with open_lease(upkeep.engine, upkeep.schema, "relay") as lease:
        if not await lease.try_take():
            raise ServiceRuns(upkeep.service)
        yield


async def _raise_epoch(upkeep: Upkeep, taken: int) -> None:
    """Have no position up to `taken` given out again, under a new epoch."""
    if upkeep.owner is None:
        raise ValueError("a new epoch needs the rights of the log's owner")
    head = await upkeep.log.head()
    async with upkeep.owner.begin() as connection:
        await raise_epoch(connection, upkeep.schema, taken=taken, head=head.position)


async def _publish(upkeep: Upkeep, progress: StepProgress) -> None:
    """Wait until the stream has the log as it is now; who publishes is whoever has the lock.

    Raises Stuck when the stream has not grown for a while.
    """
    head = await upkeep.log.head()
    relay = Relay(upkeep.log, upkeep.engine, upkeep.schema, upkeep.service, upkeep.client)
    publishing = asyncio.create_task(relay.run())
    loop = asyncio.get_running_loop()
    reached, moved_at = -1, loop.time()
    try:
        while reached < head.position:
            tail = await read_tail(upkeep.client.jetstream(), upkeep.service)
            if (now := _reached(tail, head)) != reached:
                reached, moved_at = now, loop.time()
            elif loop.time() - moved_at > _STALLED_SECONDS:
                raise Stuck(Reason.RELAY_STALLED, relay.status().stuck or "")
            progress("publishing", reached, head.position)
            await asyncio.wait({publishing}, timeout=_LOOK_SECONDS)
            if publishing.done():
                publishing.result()
    finally:
        await cancel_until_ended(publishing)


def _reached(tail: StreamTail, head: Head) -> int:
    if tail.origin is None:
        # What the stream begins after is not published, and may be all there is.
        return min(starts_after(tail.config), head.position)
    if tail.origin.epoch != head.epoch:
        raise Stuck(Reason.OTHER_EPOCH)
    return tail.origin.position
