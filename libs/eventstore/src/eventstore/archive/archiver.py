"""Follows a log and keeps it in object storage: closed segments, and a tail for what is newest."""

import asyncio
import logging
from collections.abc import AsyncIterator, Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime

from eventstore.archive.archive_status import ArchiveProgress, ArchiveStatus
from eventstore.archive.errors import ArchiveForeign
from eventstore.archive.manifest import Manifest, digest, signed_part, write_manifest, write_tail
from eventstore.archive.object_store import ArchiveStore
from eventstore.archive.open_segment import OpenSegment
from eventstore.archive.resume import resume
from eventstore.archive.signing import Signer, sign
from eventstore.backoff import Backoff
from eventstore.errors import EventLogError
from eventstore.event import RecordedEvent
from eventstore.event_log import EventLog, Page

_log = logging.getLogger("eventstore.archive")
_LONGEST_PAUSE_SECONDS = 30.0
_LOOK_SECONDS = 1.0
_SIGN_PAUSE_SECONDS = 5.0


@dataclass(frozen=True, slots=True)
class SegmentLimits:
    """When a segment closes (bytes as stored, age), how often at most the tail is rewritten, and
    after how many bytes of events a Zstandard frame is made.
    """

    size: int = 64 << 20
    seconds: float = 3600.0
    tail_every: float = 1.0
    frame: int = 1 << 20


class Archiver:
    """`run` archives without end; whatever fails is shown by `status` and tried again.

    `name` is the log's in the archive and in the signing key's. One archiver a log at a time: a
    second one would do no harm to what is closed, but the tails of both would alternate.
    """

    def __init__(
        self,
        log: EventLog,
        name: str,
        store: ArchiveStore,
        signer: Signer,
        *,
        limits: SegmentLimits | None = None,
        backoff: Backoff | None = None,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._log = log
        self._name = name
        self._store = store
        self._signer = signer
        self._limits = limits or SegmentLimits()
        self._clock = clock
        self._backoff = backoff or Backoff(longest=_LONGEST_PAUSE_SECONDS)
        self._progress = ArchiveProgress(name, clock)
        self._failures = 0
        self._unframed: list[RecordedEvent] = []
        self._unframed_bytes = 0
        self._unwritten = False
        self._written_at = float("-inf")
        self._sign_after = float("-inf")

    def status(self) -> ArchiveStatus:
        return self._progress.status()

    async def wait_for(self, position: int) -> None:
        """Return once the store has the log up to `position`; `run` must be running."""
        await self._progress.wait_for(position)

    async def catch_up(self) -> None:
        """Bring the store up to the log's head, once, by its tail; `run` must not be running.

        Raises what the log and the store raise.
        """
        head = await self._log.head()
        segment = await resume(self._store, self._log, self._name, head)
        after = segment.last_position
        events = [one async for one in self._log.read_log(after=after, until=head.position)]
        if events:
            segment.add(events, self._clock())
            await self._write_tail(segment)

    async def run(self) -> None:
        """Archive until cancelled."""
        try:
            while True:
                try:
                    await self._follow()
                # Whatever it is shows in the status and is tried again from what the store has.
                except Exception as error:  # noqa: BLE001
                    await self._hold(error)
        finally:
            self._progress.stops("not running")

    async def _follow(self) -> None:
        head = await self._log.head()
        segment = await resume(self._store, self._log, self._name, head)
        self._progress.resumes(segment.last_position, head.position)
        self._forget()
        # Shows at once that the store can be written, and that this epoch has begun.
        await self._write_tail(segment)
        self._progress.reached(segment.last_position)
        pages = self._log.subscribe(after=segment.last_position)
        upcoming = asyncio.ensure_future(anext(pages))
        try:
            while True:
                await asyncio.wait({upcoming}, timeout=self._seconds_to_write(segment))
                if upcoming.done():
                    page = upcoming.result()
                    upcoming = asyncio.ensure_future(anext(pages))
                    if page.head.epoch != head.epoch:
                        raise ArchiveForeign("the log was restored meanwhile")
                    self._take(page, segment)
                if self._seconds_to_write(segment) == 0:
                    segment = await self._write(segment)
        finally:
            upcoming.cancel()
            await asyncio.gather(upcoming, return_exceptions=True)
            await _close(pages)

    def _take(self, page: Page, segment: OpenSegment) -> None:
        self._progress.saw(page)
        if not page.events:
            self._progress.runs()
            return
        self._unframed += page.events
        self._unframed_bytes += sum(len(event.data) + len(event.metadata) for event in page.events)
        self._unwritten = True
        if self._unframed_bytes >= self._limits.frame:
            self._frame(segment)

    def _frame(self, segment: OpenSegment) -> None:
        if self._unframed:
            segment.add(self._unframed, self._clock())
            self._unframed = []
            self._unframed_bytes = 0

    def _seconds_to_write(self, segment: OpenSegment) -> float | None:
        """Tell when the store is to be written next: 0 for now, None for not before more comes."""
        waits = []
        if self._unwritten:
            waits.append(self._written_at + self._limits.tail_every - _now())
        if not segment.is_empty:
            waits.append(max(self._seconds_to_close(segment), self._sign_after - _now()))
        return max(min(waits), 0) if waits else None

    def _seconds_to_close(self, segment: OpenSegment) -> float:
        """Tell when a segment is full or old enough: 0 or less for now."""
        if segment.size >= self._limits.size:
            return 0
        opened_at = segment.opened_at or self._clock()
        return self._limits.seconds - (self._clock() - opened_at).total_seconds()

    async def _write(self, segment: OpenSegment) -> OpenSegment:
        """Bring the store up to what is in hand; gives the segment to go on with."""
        self._frame(segment)
        self._written_at = _now()
        signed = None
        if self._seconds_to_close(segment) <= 0:
            signed = await self._signed(segment.manifest(self._clock()))
        if signed is not None:
            follower = await self._seal(segment, signed)
        else:
            await self._write_tail(segment)
            follower = segment
        self._unwritten = False
        self._failures = 0
        self._progress.reached(segment.last_position)
        return follower

    async def _write_tail(self, segment: OpenSegment) -> None:
        tail = write_tail(segment.manifest(self._clock()), segment.content())
        await self._store.put(segment.folder.tail, tail)

    async def _signed(self, manifest: Manifest) -> bytes | None:
        """Give the signed manifest; None while there is no signer, and the tail grows on."""
        if _now() < self._sign_after:
            return None
        try:
            signature = await sign(self._signer, self._name, signed_part(manifest))
        # Vault or whatever holds the key; without it the archive has all, and signs it later.
        except Exception as error:  # noqa: BLE001
            self._sign_after = _now() + _SIGN_PAUSE_SECONDS
            fields = {"error": type(error).__name__}
            _log.warning("no segment can be signed now: the tail goes on", extra=fields)
            return None
        return write_manifest(manifest, signature)

    async def _seal(self, segment: OpenSegment, signed: bytes) -> OpenSegment:
        """Close a segment: it exists once its manifest does, and the tail is of no use then."""
        folder, first = segment.folder, segment.first_position
        await self._store.put(folder.segment(first, segment.sha256), segment.content())
        await self._store.create(folder.manifest(first), signed)
        await self._store.remove(folder.tail)
        return segment.follower(digest(signed))

    def _forget(self) -> None:
        self._unframed = []
        self._unframed_bytes = 0
        self._unwritten = False

    async def _hold(self, error: Exception) -> None:
        """Say that it is stuck and why; only our own errors' texts are known to hold no values."""
        kind = type(error).__name__
        reason = f"{kind}: {error}" if isinstance(error, EventLogError) else kind
        self._progress.stops(reason)
        self._failures += 1
        pause = self._backoff.after(self._failures)
        _log.warning(
            "archiver is stuck, next try in %.1f s",
            pause,
            extra={"position": self._progress.status().position, "error": kind},
        )
        # A log that cannot tell its head is what the archiver is stuck by already, or will be.
        with suppress(EventLogError, TimeoutError):
            async with asyncio.timeout(_LOOK_SECONDS):
                self._progress.saw_head((await self._log.head()).position)
        await asyncio.sleep(pause)


async def _close(pages: AsyncIterator[Page]) -> None:
    close = getattr(pages, "aclose", None)
    if close is not None:
        await close()


def _now() -> float:
    return asyncio.get_running_loop().time()
