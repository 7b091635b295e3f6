"""A consumer that runs beside a test and writes down what it handled."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from eventstore.event_log import Head
from integration.messaging.log_rig import LogRig, all_events, service_log
from integration.messaging.relay_rig import background, eventually
from messaging.connect import NatsClient
from messaging.consumer import Consumer, ConsumerOptions
from messaging.consumer_status import ConsumerStatus
from messaging.handling import Handler, Handling, Retract
from messaging.log_reader import LogReader, OwnLogReader
from messaging.names import Consumption
from messaging.received_event import ReceivedEvent
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

CONSUMPTION = Consumption("audit", "conversations", "history")
SCHEMA = "audit"

_INSERT = text("insert into audit.seen (event_id, position, body) values (:id, :position, :body)")


@asynccontextmanager
async def consuming_service(admin: AsyncEngine) -> AsyncIterator[LogRig]:
    """Make the consuming service's schema, and a table in which nothing hides a repetition."""
    async with service_log(admin, SCHEMA) as rig:
        await rig.execute(
            "create table audit.seen (number bigint generated always as identity, "
            "event_id uuid, position bigint, body bytea)"
        )
        await rig.execute("grant select, insert, delete on audit.seen to public")
        yield rig


async def write_down(connection: AsyncConnection, event: ReceivedEvent) -> None:
    await connection.execute(
        _INSERT, {"id": event.id, "position": event.position, "body": event.data}
    )


@dataclass(slots=True)
class CountingReader:
    """The owner's log, and how often it was asked for which stretch."""

    reader: LogReader
    asked: list[tuple[int, int]] = field(default_factory=list)

    async def head(self) -> Head:
        return await self.reader.head()

    async def read(self, after: int, until: int) -> AsyncIterator[ReceivedEvent]:
        self.asked.append((after, until))
        async for event in self.reader.read(after, until):
            yield event


@dataclass(frozen=True, slots=True)
class ConsumerRig:
    consumer: Consumer
    handling: Handling
    task: "asyncio.Task[None]"
    reader: CountingReader
    platform: "Platform"

    async def caught_up(self, *, within: float = 30) -> None:
        """Return when all that the log holds now is handled."""
        head = (await self.platform.source.log.head()).position
        await self.shows(lambda status: status.position >= head, within=within)

    async def shows(self, wanted: Callable[[ConsumerStatus], bool], *, within: float = 20) -> None:
        await eventually(lambda: wanted(self.consumer.status()), within=within)

    async def sticks(self, reason: str) -> None:
        await self.shows(lambda status: (status.stuck or "").startswith(f"{reason}:"))


@dataclass(frozen=True, slots=True)
class Platform:
    """A source with its log, and the service that consumes it."""

    source: LogRig
    service: LogRig

    async def handled(self) -> list[tuple[int, object]]:
        """Return what was written down, in the order it was."""
        async with self.service.engine.connect() as connection:
            found = await connection.execute(
                text("select position, event_id from audit.seen order by number")
            )
            return [(row.position, row.event_id) for row in found]

    async def number_handled(self) -> int:
        async with self.service.engine.connect() as connection:
            return int(await connection.scalar(text("select count(*) from audit.seen")) or 0)

    async def handled_equals_log(self) -> None:
        log = await all_events(self.source.log)
        assert await self.handled() == [(one.position, one.id) for one in log]


@asynccontextmanager
async def consuming(
    platform: Platform,
    client: NatsClient,
    *,
    handler: Handler = write_down,
    reader: LogReader | None = None,
    options: ConsumerOptions | None = None,
    retract: Retract | None = None,
) -> AsyncIterator[ConsumerRig]:
    counting = CountingReader(reader or OwnLogReader(platform.source.log, "conversations"))
    handling = Handling(SCHEMA, handler, retract=retract)
    engine = platform.service.engine
    consumer = Consumer(engine, SCHEMA, client, CONSUMPTION, handling, counting, options=options)
    async with background(consumer.run()) as task:
        yield ConsumerRig(consumer, handling, task, counting, platform)
