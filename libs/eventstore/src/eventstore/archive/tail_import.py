"""Takes into a log that is being restored what was published beyond its archive."""

from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Mapping
from contextlib import aclosing
from datetime import datetime
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection

from eventstore.archive.tail import Tail, TailEnds
from eventstore.event import RecordedEvent

_BATCH = 1_000


async def last_until(tail: Tail, archived: Mapping[int, int], time: datetime) -> int:
    """Give the position of a tail's last event that was recorded until a time, 0 for none."""
    last = 0
    try:
        async with aclosing(tail.events(archived, archived[max(archived)])) as events:
            async for event in events:
                if event.recorded_at <= time:
                    last = event.position
    except TailEnds:
        return last
    return last


class TailImport:
    """Checks events against the log that `connection` writes, and hands them to `add`."""

    def __init__(
        self,
        connection: AsyncConnection,
        statements: Mapping[str, str],
        add: Callable[[list[RecordedEvent]], Awaitable[None]],
    ) -> None:
        self._connection = connection
        self._statements = statements
        self._add = add

    async def take(self, events: AsyncIterator[RecordedEvent], until: int | None) -> str | None:
        """Add events up to a position, or to the first that does not belong there; say why then."""
        try:
            async with aclosing(_batches(events, until)) as batches:
                async for batch in batches:
                    await self._take(batch)
        except TailEnds as ends:
            return str(ends)
        return None

    async def _take(self, batch: list[RecordedEvent]) -> None:
        revisions = await self._last_revisions(batch)
        known = await self._known_ids(batch)
        fitting: list[RecordedEvent] = []
        try:
            for event in batch:
                key = event.stream.key
                if event.id in known:
                    raise TailEnds(f"position {event.position} is an event that the log has")
                if event.revision != revisions.get(key, -1) + 1:
                    raise TailEnds(f"position {event.position} does not follow in its stream")
                revisions[key] = event.revision
                known.add(event.id)
                fitting.append(event)
        finally:
            if fitting:
                await self._add(fitting)

    async def _last_revisions(self, batch: list[RecordedEvent]) -> dict[UUID, int]:
        keys = list({event.stream.key for event in batch})
        found = await self._connection.exec_driver_sql(self._statements["last_revisions"], (keys,))
        return {row.stream_key: row.revision for row in found}

    async def _known_ids(self, batch: list[RecordedEvent]) -> set[UUID]:
        ids = [event.id for event in batch]
        found = await self._connection.exec_driver_sql(self._statements["known_ids"], (ids,))
        return set(found.scalars())


async def _batches(
    events: AsyncIterator[RecordedEvent], until: int | None
) -> AsyncGenerator[list[RecordedEvent], None]:
    """Give events in lists, also those before a TailEnds, which is then raised."""
    batch: list[RecordedEvent] = []
    try:
        async for event in events:
            if until is not None and event.position > until:
                break
            batch.append(event)
            if len(batch) == _BATCH:
                yield batch
                batch = []
    except TailEnds:
        yield batch
        raise
    yield batch
