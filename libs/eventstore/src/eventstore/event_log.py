"""The log as its users see it: append, recall, read, subscribe."""

from collections.abc import AsyncIterator, Collection, Sequence
from dataclasses import dataclass
from typing import Protocol
from uuid import UUID

from eventstore.as_of import AsOf
from eventstore.durability import Durability
from eventstore.event import NewEvent, RecordedEvent
from eventstore.expected_revision import ExpectedRevision
from eventstore.stream_id import StreamId

MAX_EVENTS = 1_000


@dataclass(frozen=True, slots=True)
class Write:
    """What to append to one stream, if it is as expected."""

    stream: StreamId
    expected: ExpectedRevision
    events: tuple[NewEvent, ...]


@dataclass(frozen=True, slots=True)
class Appended:
    """Where an append landed: its last position and each write's last revision.

    `duplicate`: it had landed before, and this is where.
    """

    position: int
    revisions: tuple[int, ...]
    duplicate: bool


@dataclass(frozen=True, slots=True)
class Head:
    """How far a log is complete: no event can appear at or below `position` any more.

    `epoch` counts the log's restores; positions of two epochs must not be compared.
    """

    epoch: int
    position: int


@dataclass(frozen=True, slots=True)
class Page:
    """What a subscriber receives: events in order of position, and how far the log is complete.

    An empty page says that nothing the subscriber asked for lies up to the head.
    """

    events: tuple[RecordedEvent, ...]
    head: Head

    @property
    def position(self) -> int:
        """How far a subscriber has come that handled this page: what its checkpoint may say."""
        return self.events[-1].position if self.events else self.head.position


class EventLog(Protocol):
    """An append-only log of events in one total order, each also in one stream.

    Order of a stream is order of the log. Positions grow, with holes.
    """

    async def append(self, *writes: Write, durability: Durability = Durability.LOCAL) -> Appended:
        """Append to one or more streams of one tenant, all or nothing.

        Idempotent by the events' ids and digests: what landed before, or is just landing, is
        answered with where it landed. Cancelling the caller does not undo it.

        Raises RevisionConflict, EventIdReused, DurabilityUnavailable, Overloaded, LogUnavailable
        (nothing was written), NotYetReplicated, OutcomeUnknown (send the same again), and
        ValueError for a request that no log takes.
        """

    async def recall(self, event_ids: Sequence[UUID]) -> list[RecordedEvent]:
        """Give the events that have these ids, in order of position; unknown ids are left out."""

    def read_stream(
        self,
        stream: StreamId,
        *,
        from_revision: int = 0,
        as_of: AsOf | None = None,
        backwards: bool = False,
        limit: int | None = None,
    ) -> AsyncIterator[RecordedEvent]:
        """Give a stream's events from `from_revision` on; backwards: from the last down to it.

        `as_of`: as if none had been appended since then.
        """

    def read_log(
        self,
        *,
        after: int = 0,
        until: int | None = None,
        backwards: bool = False,
        limit: int | None = None,
        types: Collection[str] | None = None,
    ) -> AsyncIterator[RecordedEvent]:
        """Give events with `after` < position <= `until`, up to where the log is complete now."""

    async def head(self) -> Head:
        """Tell how far the log is complete, and its epoch."""

    def subscribe(self, *, after: int, types: Collection[str] | None = None) -> AsyncIterator[Page]:
        """Give events after a position as they come, without end; the first page comes at once.

        Pages are empty when the head moved past events of other types only. A reader that holds
        a position beyond the head (of a restored log) gets nothing but the first page.
        """


def check(writes: Sequence[Write]) -> None:
    """Refuse, by ValueError, a request that no log can take as one atomic append."""
    if not writes or not all(write.events for write in writes):
        raise ValueError("append at least one event, and no write without events")
    if len(writes) == 1 and len(writes[0].events) == 1:
        return
    if len({write.stream for write in writes}) < len(writes):
        raise ValueError("at most one write a stream: put its events into one write")
    if len({write.stream.tenant for write in writes}) > 1:
        raise ValueError("one append belongs to one tenant")
    ids = [event.id for write in writes for event in write.events]
    if len(set(ids)) < len(ids):
        raise ValueError("event ids repeat inside the request")
    if len(ids) > MAX_EVENTS:
        raise ValueError(f"at most {MAX_EVENTS} events an append")
