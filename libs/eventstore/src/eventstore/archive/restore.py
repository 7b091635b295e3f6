"""A log brought back from its archive, byte for byte, into an empty one: a new epoch of it."""

from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from importlib.resources import files
from typing import Any

from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from eventstore.archive.errors import ArchiveError
from eventstore.archive.lineage import Stretch, read_lineage
from eventstore.archive.object_store import ArchiveStore
from eventstore.archive.point import Point, position_of
from eventstore.archive.reading import read_events
from eventstore.archive.signing import PublicKeys
from eventstore.event import RecordedEvent
from eventstore.postgres.statements import identifier, read_statements

POSITION_GAP = 1_000_000
"""How far beyond everything archived a restored log goes on: no position is ever given twice, be it
one that was given and lost before it was archived.
"""
_COLUMNS = (
    "position",
    "tenant",
    "stream",
    "stream_key",
    "revision",
    "event_id",
    "type",
    "data",
    "metadata",
    "digest",
    "recorded_at",
)


class LogNotEmpty(ArchiveError):
    """The log to restore into holds events, in an epoch; nothing was changed."""

    def __init__(self, epoch: int) -> None:
        super().__init__("the log to restore into is not empty: restore into a new database")
        self.epoch = epoch


@dataclass(frozen=True, slots=True)
class Restored:
    """What a log holds now: its epoch, its last position, how many events.

    `archived_position` is the archive's last: what lies between the two was left out as asked.
    """

    log: str
    epoch: int
    position: int
    events: int
    archived_position: int


@dataclass(frozen=True, slots=True)
class LogDatabase:
    """A log's schema and its owner's role, which the engine's login must be a member of."""

    engine: AsyncEngine
    schema: str
    owner_role: str


async def restore(
    store: ArchiveStore, log: str, keys: PublicKeys, into: LogDatabase, *, until: Point = None
) -> Restored:
    """Copy a log's archive into an empty log, checked while it is read, all or nothing.

    So a restore that was broken off left the log empty and is begun again. Raises ArchiveDamaged,
    ArchiveEmpty, ArchiveUnavailable and LogNotEmpty.
    """
    identifier(into.owner_role)
    statements = read_statements(files("eventstore.archive") / "sql", into.schema)
    stretches = await read_lineage(store, log, keys)
    newest = stretches[-1]
    position = await position_of(store, stretches, until)
    async with into.engine.begin() as connection:
        await _enter(connection, statements, into.owner_role)
        copied = _Copy(await _driver(connection), into.schema)
        async for batch in _until(store, stretches, position):
            await copied.add(batch)
        epoch = await _one(connection, statements["raise_epoch"], newest.chain.folder.epoch)
        beyond = newest.until + POSITION_GAP
        await connection.exec_driver_sql(statements["restart_positions"], (beyond,))
        await connection.exec_driver_sql(statements["restart_projections"])
    return Restored(log, epoch, copied.position, copied.events, newest.until)


async def _enter(
    connection: AsyncConnection, statements: Mapping[str, str], owner_role: str
) -> None:
    await connection.exec_driver_sql(statements["become_owner"], (owner_role,))
    await connection.exec_driver_sql(statements["lock_log"])
    if (epoch := await _one(connection, statements["epoch_of_events"])) is not None:
        raise LogNotEmpty(epoch)


async def _until(
    store: ArchiveStore, stretches: list[Stretch], position: int
) -> AsyncIterator[list[RecordedEvent]]:
    """Read the archive up to a position."""
    cut = [
        Stretch(stretch.chain, min(stretch.until, position))
        for stretch in stretches
        if stretch.chain.start < position
    ]
    async for batch in read_events(store, cut):
        yield batch


class _Copy:
    """Events as rows of the log, by COPY."""

    def __init__(self, driver: Any, schema: str) -> None:  # noqa: ANN401 - asyncpg has no types
        self._driver = driver
        self._schema = schema
        self.position = 0
        self.events = 0

    async def add(self, events: list[RecordedEvent]) -> None:
        await self._driver.copy_records_to_table(
            "event", schema_name=self._schema, columns=_COLUMNS, records=map(_row, events)
        )
        self.position = events[-1].position
        self.events += len(events)


def _row(event: RecordedEvent) -> tuple[object, ...]:
    return (
        event.position,
        event.stream.tenant,
        event.stream.name,
        event.stream.key,
        event.revision,
        event.id,
        event.type,
        event.data,
        event.metadata,
        event.digest,
        event.recorded_at,
    )


async def _driver(connection: AsyncConnection) -> Any:  # noqa: ANN401 - asyncpg has no types
    return (await connection.get_raw_connection()).driver_connection


async def _one(connection: AsyncConnection, statement: str, *arguments: object) -> Any:  # noqa: ANN401
    return (await connection.exec_driver_sql(statement, arguments)).scalar_one()
