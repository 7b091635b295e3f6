"""A log in memory: for fast tests of what stands on a log, lost with its process."""

from collections.abc import AsyncIterator, Callable, Collection, Sequence
from datetime import UTC, datetime
from itertools import islice
from uuid import UUID

from eventstore.as_of import AsOf
from eventstore.durability import Durability
from eventstore.errors import DurabilityUnavailable, EventIdReused, RevisionConflict
from eventstore.event import NewEvent, RecordedEvent
from eventstore.event_log import Appended, Head, Page, Write, check
from eventstore.stream_id import StreamId
from eventstore.subscribe import follow
from eventstore.wake import Wake
from eventstore.watermark import Watermark

_EPOCH = 1
_PAGE_EVENTS = 500


class MemoryEventLog:
    """Appends, reads and subscribes as the promises say; knows no durability but its own life."""

    def __init__(self, *, clock: Callable[[], datetime] = lambda: datetime.now(UTC)) -> None:
        self._clock = clock
        self._log: list[RecordedEvent] = []
        self._streams: dict[StreamId, list[RecordedEvent]] = {}
        self._by_id: dict[UUID, RecordedEvent] = {}
        self._wake = Wake()
        self._watermark = Watermark(self.head, self._wake)

    async def append(self, *writes: Write, durability: Durability = Durability.LOCAL) -> Appended:
        check(writes)
        if durability is Durability.REPLICATED:
            raise DurabilityUnavailable("a log in memory is safe nowhere: append LOCAL")
        if landed := self._landed(writes):
            return landed
        for write in writes:
            head = self._head_of(write.stream)
            if not write.expected.admits(head):
                raise RevisionConflict(write.stream, write.expected, head)
        for write in writes:
            for event in write.events:
                self._take(write.stream, event)
        self._wake.ring(len(self._log))
        return self._answer(writes, duplicate=False)

    async def recall(self, event_ids: Sequence[UUID]) -> list[RecordedEvent]:
        known = (self._by_id.get(event_id) for event_id in event_ids)
        return sorted((event for event in known if event), key=lambda event: event.position)

    async def read_stream(
        self,
        stream: StreamId,
        *,
        from_revision: int = 0,
        as_of: AsOf | None = None,
        backwards: bool = False,
        limit: int | None = None,
    ) -> AsyncIterator[RecordedEvent]:
        events = self._streams.get(stream, [])
        if as_of is not None:
            covered = [event.revision for event in events if as_of.covers(event)]
            events = events[: covered[-1] + 1 if covered else 0]
        events = events[max(from_revision, 0) :]
        for event in islice(reversed(events) if backwards else events, limit):
            yield event

    async def read_log(
        self,
        *,
        after: int = 0,
        until: int | None = None,
        backwards: bool = False,
        limit: int | None = None,
        types: Collection[str] | None = None,
    ) -> AsyncIterator[RecordedEvent]:
        found = self._of_types(self._log[max(after, 0) : until], types)
        for event in islice(reversed(found) if backwards else found, limit):
            yield event

    async def head(self) -> Head:
        return Head(_EPOCH, len(self._log))

    def subscribe(self, *, after: int, types: Collection[str] | None = None) -> AsyncIterator[Page]:
        async def page(after: int, head: Head) -> Page:
            found = self._of_types(self._log[max(after, 0) : head.position], types)
            return Page(tuple(found[:_PAGE_EVENTS]), head)

        return follow(self._watermark, page, after=after)

    def _landed(self, writes: Sequence[Write]) -> Appended | None:
        """Where a repeated request landed, None for a new one; EventIdReused for neither."""
        events = [event for write in writes for event in write.events]
        known = [event for event in events if event.id in self._by_id]
        if not known:
            return None
        if len(known) < len(events) or not all(self._is_repeat(write) for write in writes):
            raise EventIdReused(known[0].id)
        return self._answer(writes, duplicate=True)

    def _is_repeat(self, write: Write) -> bool:
        first = self._by_id[write.events[0].id].revision
        return all(
            (was.stream, was.revision, was.type, was.digest)
            == (write.stream, first + ordinal, event.type, event.digest)
            for ordinal, event in enumerate(write.events)
            for was in [self._by_id[event.id]]
        )

    def _answer(self, writes: Sequence[Write], *, duplicate: bool) -> Appended:
        last = [self._by_id[write.events[-1].id] for write in writes]
        return Appended(
            max(event.position for event in last),
            tuple(event.revision for event in last),
            duplicate=duplicate,
        )

    def _take(self, stream: StreamId, event: NewEvent) -> None:
        events = self._streams.setdefault(stream, [])
        recorded = RecordedEvent(
            position=len(self._log) + 1,
            previous_position=len(self._log),
            stream=stream,
            revision=len(events),
            id=event.id,
            type=event.type,
            data=event.data,
            metadata=event.metadata,
            recorded_at=self._clock(),
            digest=event.digest,
        )
        events.append(recorded)
        self._log.append(recorded)
        self._by_id[event.id] = recorded

    def _head_of(self, stream: StreamId) -> int | None:
        events = self._streams.get(stream)
        return events[-1].revision if events else None

    @staticmethod
    def _of_types(
        events: list[RecordedEvent], types: Collection[str] | None
    ) -> list[RecordedEvent]:
        return events if types is None else [event for event in events if event.type in types]
