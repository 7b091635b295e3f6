"""A log and messaging's tables in a schema of their own, and events to append."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from uuid import uuid4

import eventstore.postgres.migrate
import messaging.migrate
from careline.log.v1.recorded_event_pb2 import EventMetadata
from eventstore.event import NewEvent, RecordedEvent
from eventstore.event_log import Write
from eventstore.expected_revision import ExpectedRevision
from eventstore.postgres import PostgresEventLog
from eventstore.testing.example_events import DIGEST, new_id, new_stream
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

TRACEPARENT = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
METADATA = EventMetadata(
    action="conversations.postMessage", traceparent=TRACEPARENT, tracestate="a=b"
).SerializeToString()
POSTED = "careline.conversations.events.v1.MessagePosted"


def event(body: bytes = b"sealed", *, event_type: str = POSTED) -> NewEvent:
    return NewEvent(new_id(), event_type, body, METADATA, DIGEST)


def write(*events: NewEvent, tenant: str = "demo") -> Write:
    return Write(new_stream(tenant), ExpectedRevision.ANY, events or (event(),))


async def append(log: PostgresEventLog, number: int, *, size: int = 300) -> None:
    """Append as many events to streams of their own, in requests of up to 500."""
    for start in range(0, number, 500):
        some = min(500, number - start)
        await log.append(*(write(event(bytes(size))) for _ in range(some)))


async def all_events(log: PostgresEventLog) -> list[RecordedEvent]:
    return [recorded async for recorded in log.read_log()]


@dataclass(frozen=True, slots=True)
class LogRig:
    """A service's schema and log, through its runtime role; `admin` is the database's superuser."""

    admin: AsyncEngine
    engine: AsyncEngine
    schema: str
    log: PostgresEventLog

    async def execute(self, sql: str) -> None:
        """Do by the superuser what no service may do."""
        async with self.admin.begin() as connection:
            await connection.execute(text(sql))

    async def goes_back_to(self, position: int) -> None:
        """Lose what was appended after a position, as a database restored from a copy has."""
        async with self.admin.begin() as connection:
            await connection.execute(text("set local session_replication_role = replica"))
            await connection.execute(
                text(f"delete from {self.schema}.event where position > :after"),  # noqa: S608 - the schema is the test's
                {"after": position},
            )

    async def is_restored_to(self, position: int) -> None:
        """Go back, and enter a new epoch in which no position is given out again."""
        await self.goes_back_to(position)
        await self.execute(f"update {self.schema}.log_state set epoch = epoch + 1")  # noqa: S608 - the schema is the test's
        await self.execute(
            f"select setval('{self.schema}.event_position', "
            f"pg_sequence_last_value('{self.schema}.event_position') + 1000)"
        )


@asynccontextmanager
async def service_log(admin: AsyncEngine, schema: str) -> AsyncIterator[LogRig]:
    """Make the schema under roles of its own; the log is closed at the end."""
    suffix = uuid4().hex
    roles = {"owner_role": f"owner_{suffix}", "runtime_role": f"runtime_{suffix}"}
    async with admin.begin() as connection:
        for role in roles.values():
            await connection.execute(text(f"create role {role} nologin"))
    await eventstore.postgres.migrate.migrate(admin, schema, **roles)
    await messaging.migrate.migrate(admin, schema, **roles)
    async with log_as(admin, schema, roles["runtime_role"]) as rig:
        yield rig


@asynccontextmanager
async def log_as(admin: AsyncEngine, schema: str, role: str) -> AsyncIterator[LogRig]:
    settings = {"server_settings": {"role": role}}
    engine = create_async_engine(admin.url, connect_args=settings, pool_size=15)
    try:
        async with PostgresEventLog(engine, schema) as log:
            yield LogRig(admin, engine, schema, log)
    finally:
        await engine.dispose()
