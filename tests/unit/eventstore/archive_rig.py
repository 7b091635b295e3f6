"""A log in memory and its archive in a folder."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path

from eventstore.archive.archiver import Archiver, SegmentLimits
from eventstore.archive.lineage import parts_of, read_lineage
from eventstore.archive.object_store import ArchiveStore
from eventstore.archive.reading import read_records
from eventstore.archive.record import decode
from eventstore.archive.signing import PublicKeys, signing_key
from eventstore.archive.verify import Verified, verify
from eventstore.backoff import Backoff
from eventstore.event import RecordedEvent
from eventstore.event_log import EventLog, Write
from eventstore.expected_revision import ExpectedRevision
from eventstore.memory import MemoryEventLog
from eventstore.testing.example_events import new_events, new_stream
from messaging.cancellation import cancel_until_ended
from runtime.testing.local_keys import LocalKeys

LOG = "conversations"
SECONDS = 20.0
TAIL_ONLY = SegmentLimits(tail_every=0.001)
CLOSE_AT_ONCE = SegmentLimits(size=1, tail_every=0.001)


class ArchiveRig:
    """`archive` has what is appended in the store; `events` reads the archive back, checked."""

    def __init__(self, folder: Path, log: EventLog | None = None) -> None:
        self.folder = folder
        self.log = log or MemoryEventLog()
        self.keys = LocalKeys()
        self.store = ArchiveStore(folder.as_uri())
        self.clock = lambda: datetime.now(UTC)

    async def append(self, count: int) -> int:
        """Append to a new stream; gives the last position."""
        write = Write(new_stream(), ExpectedRevision.NO_STREAM, new_events(count))
        return (await self.log.append(write)).position

    @asynccontextmanager
    async def archiving(self, limits: SegmentLimits = TAIL_ONLY) -> AsyncIterator[Archiver]:
        """Run an archiver until the context ends, which cuts it off as a kill does."""
        archiver = Archiver(
            self.log,
            LOG,
            self.store,
            self.keys,
            limits=limits,
            backoff=Backoff(0.001, 0.002),
            clock=self.clock,
        )
        running = asyncio.create_task(archiver.run())
        try:
            async with asyncio.timeout(SECONDS):
                yield archiver
        finally:
            await cancel_until_ended(running)

    async def archive(self, count: int, limits: SegmentLimits = TAIL_ONLY) -> None:
        """Append so many events and have them archived."""
        async with self.archiving(limits) as archiver:
            await archiver.wait_for(await self.append(count))

    async def public_keys(self) -> PublicKeys:
        return await self.keys.public_keys(signing_key(LOG))

    async def verify(self) -> Verified:
        return await verify(self.store, LOG, await self.public_keys())

    async def events(self) -> list[RecordedEvent]:
        stretches = await read_lineage(self.store, LOG, await self.public_keys())
        read = read_records(self.store, parts_of(stretches))
        return [decode(record) async for batch in read for record in batch]

    def files(self, pattern: str) -> list[Path]:
        return sorted(self.folder.glob(f"{LOG}/*/{pattern}"))
