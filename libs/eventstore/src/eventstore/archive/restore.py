"""A log brought back from its archive, byte for byte, into an empty one: a new epoch of it."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import aclosing
from dataclasses import dataclass
from datetime import datetime
from importlib.resources import files
from typing import Any

from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from eventstore.archive.copy_rows import COLUMNS, HEADER, TRAILER, CopyRows
from eventstore.archive.errors import ArchiveError
from eventstore.archive.lineage import Stretch, ends_of, parts_of, read_lineage
from eventstore.archive.look_ahead import one_ahead
from eventstore.archive.object_store import ArchiveStore
from eventstore.archive.point import Point, position_until
from eventstore.archive.reading import read_records
from eventstore.archive.record import Record, encode, records
from eventstore.archive.signing import PublicKeys
from eventstore.archive.tail import Tail
from eventstore.archive.tail_import import TailImport, last_until
from eventstore.event import RecordedEvent
from eventstore.postgres.epochs import raise_epoch
from eventstore.postgres.statements import identifier, read_statements

POSITION_GAP = 1_000_000
"""How far beyond everything archived and published a restored log goes on: no position is ever
given twice, be it one that was given and lost before either had it.
"""


class LogNotEmpty(ArchiveError):
    """The log to restore into holds events, in an epoch; nothing was changed."""

    def __init__(self, epoch: int) -> None:
        super().__init__("the log to restore into is not empty: restore into a new database")
        self.epoch = epoch


@dataclass(frozen=True, slots=True)
class Restored:
    """What a log holds now: its epoch, its last position, how many events.

    `archived_position` is the archive's last. `streamed` of the events came from the stream's tail;
    `tail_ended` says why no more of it was taken, None where it was taken as far as asked.
    """

    log: str
    epoch: int
    position: int
    events: int
    archived_position: int
    streamed: int = 0
    tail_ended: str | None = None


@dataclass(frozen=True, slots=True)
class LogDatabase:
    """A log's schema and its owner's role, which the engine's login must be a member of."""

    engine: AsyncEngine
    schema: str
    owner_role: str


@dataclass(frozen=True, slots=True)
class TailWanted:
    """A stream's tail; where it is not `taken`, it only tells what was given out already."""

    tail: Tail
    taken: bool = True


async def restore(
    store: ArchiveStore,
    log: str,
    keys: PublicKeys,
    into: LogDatabase,
    *,
    until: Point = None,
    beyond: TailWanted | None = None,
) -> Restored:
    """Copy a log's archive into an empty log, and what was published beyond it, all or nothing.

    Everything is checked while it is read. A restore that was broken off left the log empty and is
    begun again. Raises ArchiveDamaged, ArchiveEmpty, ArchiveUnavailable, LogNotEmpty, and what the
    tail raises.
    """
    identifier(into.owner_role)
    statements = read_statements(files("eventstore.archive") / "sql", into.schema)
    stretches = await read_lineage(store, log, keys)
    archived = ends_of(stretches)
    end = stretches[-1].until
    tail = beyond.tail if beyond and beyond.taken else None
    cut = await _cut(store, stretches, tail, until)
    ended = None
    async with into.engine.begin() as connection:
        await _enter(connection, statements, into.owner_role)
        copied = _Copy(await _driver(connection), into.schema)
        async with aclosing(read_records(store, parts_of(stretches, cut))) as batches:
            await copied.add(batches)
        from_archive = copied.events
        if tail is not None and (cut is None or cut > end):
            following = TailImport(connection, statements, copied.add_events)
            async with aclosing(tail.events(archived, end)) as events:
                ended = await following.take(events, cut)
        epoch, position = await beyond.tail.reach(archived) if beyond else (0, 0)
        epoch = await raise_epoch(
            connection,
            into.schema,
            used=max(epoch, *archived),
            taken=max(end, position) + POSITION_GAP,
        )
        await connection.exec_driver_sql(statements["restart_projections"])
    streamed = copied.events - from_archive
    return Restored(log, epoch, copied.position, copied.events, end, streamed, ended)


async def _cut(
    store: ArchiveStore, stretches: list[Stretch], tail: Tail | None, until: Point
) -> int | None:
    """Give the last position that is wanted, None for all there are."""
    if isinstance(until, datetime) and tail is not None:
        in_tail = await last_until(tail, ends_of(stretches), until)
        if in_tail:
            return in_tail
    if until is None or isinstance(until, int):
        return until
    return await position_until(store, stretches, until)


async def _enter(
    connection: AsyncConnection, statements: Mapping[str, str], owner_role: str
) -> None:
    await connection.exec_driver_sql(statements["become_owner"], (owner_role,))
    await connection.exec_driver_sql(statements["lock_log"])
    if (epoch := await _one(connection, statements["epoch_of_events"])) is not None:
        raise LogNotEmpty(epoch)


class _Copy:
    """Writes events to the log by COPY, and counts them."""

    def __init__(self, driver: Any, schema: str) -> None:  # noqa: ANN401 - asyncpg has no types
        self._driver = driver
        self._schema = schema
        self._rows = CopyRows()
        self.position = 0
        self.events = 0

    async def add(self, batches: AsyncIterator[list[Record]]) -> None:
        """Write all of them, the next ones being made out while the last are written."""
        async with aclosing(one_ahead(self._chunks(batches))) as chunks:
            await self._driver.copy_to_table(
                "event", schema_name=self._schema, columns=COLUMNS, source=chunks, format="binary"
            )

    async def add_events(self, events: list[RecordedEvent]) -> None:
        """Write events that come from elsewhere."""

        async def batch() -> AsyncIterator[list[Record]]:
            yield list(records(b"".join(map(encode, events))))

        await self.add(batch())

    async def _chunks(self, batches: AsyncIterator[list[Record]]) -> AsyncIterator[bytes]:
        yield HEADER
        async for batch in batches:
            yield await asyncio.to_thread(self._rows.of, batch)
            self.position = batch[-1].position
            self.events += len(batch)
        yield TRAILER


async def _driver(connection: AsyncConnection) -> Any:  # noqa: ANN401 - asyncpg has no types
    return (await connection.get_raw_connection()).driver_connection


async def _one(connection: AsyncConnection, statement: str, *arguments: object) -> Any:  # noqa: ANN401
    return (await connection.exec_driver_sql(statement, arguments)).scalar_one()
