"""A log that is lost, its archive and its stream, and an empty database to restore it into."""

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from careline_cli.streams.renewal import Renewal, renew
from conftest import CreateDatabase
from eventstore.archive.point import Point
from eventstore.archive.restore import LogDatabase, Restored, TailWanted, restore
from eventstore.event import RecordedEvent
from eventstore.event_log import Write
from eventstore.expected_revision import ExpectedRevision
from eventstore.testing.example_events import new_stream
from integration.messaging.log_rig import LogRig, all_events, event, service_log
from integration.messaging.nats_rig import NatsRig
from integration.messaging.upkeep_rig import owner_of, upkeep
from messaging.connect import NatsClient
from messaging.names import Consumption
from messaging.outgoing import outgoing
from messaging.permissions import verifier_permissions
from messaging.published_tail import PublishedTail
from sqlalchemy import text
from unit.eventstore.archive_rig import LOG, ArchiveRig

LARGEST = 1 << 20
READING = Consumption("restore", LOG, "tail")


@dataclass(frozen=True, slots=True)
class LostLog:
    """`archived` and `beyond` are the log's events, split by whether the archive has them."""

    nats: NatsRig
    source: LogRig
    archive: ArchiveRig
    archived: list[RecordedEvent]
    beyond: list[RecordedEvent]
    create_database: CreateDatabase

    @asynccontextmanager
    async def empty(self) -> AsyncIterator[LogRig]:
        async with self.create_database() as database, service_log(database.engine, LOG) as rig:
            yield rig

    @asynccontextmanager
    async def tail(self) -> AsyncIterator[PublishedTail]:
        """Open the stream with the rights that a restore has."""
        permissions = verifier_permissions("restore", READING)
        credentials = self.nats.operator.platform.credentials("restore", permissions)
        async with await self.nats.connect(credentials) as client:
            yield PublishedTail(client, READING)

    async def restore(
        self, into: LogRig, *, until: Point = None, archive_only: bool = False
    ) -> Restored:
        database = LogDatabase(into.admin, into.schema, await owner_of(into))
        keys = await self.archive.public_keys()
        async with self.tail() as tail:
            beyond = TailWanted(tail, taken=not archive_only)
            return await restore(
                self.archive.store, LOG, keys, database, until=until, beyond=beyond
            )

    @property
    def ends(self) -> dict[int, int]:
        """What the archive has, by epoch."""
        return {1: self.archived[-1].position}

    async def renew(self, log: LogRig, *, leaves_out: bool = False) -> Renewal:
        async with upkeep(self.nats, log, rebuilds=True) as job:
            return await renew(job, self.ends, self.kept, leaves_out=leaves_out)

    @property
    def kept(self) -> Path:
        return self.archive.folder.with_name("left-out")


async def lose_log(
    nats: NatsRig, source: LogRig, folder: Path, create_database: CreateDatabase
) -> LostLog:
    """Append ten events that are archived and six that are not; some streams have both."""
    rig = ArchiveRig(folder / "archive", source.log)
    both = new_stream()
    async with rig.archiving() as archiver:
        for _ in range(5):
            await source.log.append(Write(both, ExpectedRevision.ANY, (event(), event(b""))))
        await archiver.wait_for((await source.log.head()).position)
    archived = await all_events(source.log)
    for stream in (both, new_stream(), both):
        await source.log.append(Write(stream, ExpectedRevision.ANY, (event(), event(bytes(300)))))
    beyond = (await all_events(source.log))[len(archived) :]
    return LostLog(nats, source, rig, archived, beyond, create_database)


async def publish(
    client: NatsClient,
    events: Sequence[RecordedEvent],
    *,
    epoch: int = 1,
    max_bytes: int = LARGEST,
    headers: Mapping[str, str] | None = None,
) -> None:
    """Publish as a relay does, but for what is said to be otherwise."""
    for one in events:
        message = outgoing(LOG, epoch, one, max_bytes=max_bytes)
        sent = {**message.headers, **(headers or {})}
        await client.jetstream().publish(message.subject, message.data, headers=sent)


async def publish_foreign(client: NatsClient) -> None:
    """Publish what no relay of ours did."""
    await client.jetstream().publish(f"careline.demo.{LOG}.somebody.Said", b"foreign")


async def rows_of(log: LogRig) -> list[tuple[Any, ...]]:
    async with log.admin.connect() as connection:
        found = await connection.execute(
            text(f"select * from {log.schema}.event order by position")  # noqa: S608 - its name
        )
        return [tuple(row) for row in found]
