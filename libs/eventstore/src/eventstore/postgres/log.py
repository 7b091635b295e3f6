"""The log on PostgreSQL."""

import asyncio
from collections.abc import AsyncIterator, Collection, Sequence
from types import TracebackType
from typing import Self
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncEngine

from eventstore.as_of import AsOf
from eventstore.durability import Durability, ReplicationGate
from eventstore.errors import DurabilityUnavailable, EventLogError, NotYetReplicated
from eventstore.event import RecordedEvent
from eventstore.event_log import Appended, Head, Page, Write, check
from eventstore.postgres.append_queue import AppendQueue
from eventstore.postgres.appender import Appender
from eventstore.postgres.bounds import DEFAULT_BOUNDS, Bounds
from eventstore.postgres.reader import Reader
from eventstore.postgres.sessions import Sessions
from eventstore.postgres.snapshot_table import SnapshotTable
from eventstore.postgres.statements import load_statements
from eventstore.stream_id import StreamId
from eventstore.subscribe import follow
from eventstore.wake import Wake
from eventstore.watermark import Watermark


class PostgresEventLog:
    """One log: the schema that `migrate` made, reached through the engine's asyncpg connections.

    Use as an async context manager, or `close` it before the engine is disposed of. `bounds` says
    how much it takes on and on how many connections, `patience` (seconds) the time spent on the
    outcome of one append or page, and `replication_timeout` (seconds) the wait for `replication`
    after a REPLICATED append.
    """

    def __init__(
        self,
        engine: AsyncEngine,
        schema: str,
        *,
        replication: ReplicationGate | None = None,
        bounds: Bounds = DEFAULT_BOUNDS,
        patience: float = 10.0,
        replication_timeout: float = 5.0,
    ) -> None:
        statements = load_statements(schema)
        wake = Wake()
        self._replication = replication
        self._replication_timeout = replication_timeout
        self._appending = Sessions(engine, statements, limit=bounds.lanes)
        self._contested = Sessions(engine, statements, limit=bounds.contested)
        self._reading = Sessions(engine, statements, limit=bounds.reading)
        self._reader = Reader(self._reading, patience=patience)
        self.snapshots = SnapshotTable(self._reading)
        self._watermark = Watermark(self._reader.head, wake)
        self._appender = Appender(
            self._appending,
            self._contested,
            AppendQueue(bounds),
            lanes=bounds.lanes,
            patience=patience,
            landed=wake.ring,
        )

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        await self.close()

    async def close(self) -> None:
        """Answer what is in flight, then give the connections back."""
        await self._appender.close()
        for sessions in (self._appending, self._contested, self._reading):
            await sessions.close()

    async def append(self, *writes: Write, durability: Durability = Durability.LOCAL) -> Appended:
        check(writes)
        if durability is Durability.LOCAL:
            return await self._appender.append(writes)
        if self._replication is None:
            raise DurabilityUnavailable("this log is replicated nowhere: append LOCAL")
        appended = await self._appender.append(writes)
        try:
            async with asyncio.timeout(self._replication_timeout):
                await self._replication.replicated(appended.position)
        # A gate's own refusal says nothing of the append, which has landed.
        except (TimeoutError, EventLogError) as error:
            raise NotYetReplicated(appended.position) from error
        return appended

    async def recall(self, event_ids: Sequence[UUID]) -> list[RecordedEvent]:
        return await self._reader.recall(event_ids)

    def read_stream(
        self,
        stream: StreamId,
        *,
        from_revision: int = 0,
        as_of: AsOf | None = None,
        backwards: bool = False,
        limit: int | None = None,
    ) -> AsyncIterator[RecordedEvent]:
        return self._reader.stream(
            stream, from_revision=from_revision, as_of=as_of, backwards=backwards, limit=limit
        )

    def read_log(
        self,
        *,
        after: int = 0,
        until: int | None = None,
        backwards: bool = False,
        limit: int | None = None,
        types: Collection[str] | None = None,
    ) -> AsyncIterator[RecordedEvent]:
        return self._reader.log(
            after=after, until=until, backwards=backwards, limit=limit, types=types
        )

    async def head(self) -> Head:
        return await self._reader.head()

    def subscribe(self, *, after: int, types: Collection[str] | None = None) -> AsyncIterator[Page]:
        async def page(position: int, head: Head) -> Page:
            return await self._reader.subscriber_page(position, head, types)

        return follow(self._watermark, page, after=after)
