"""Appends that wait for a statement: bounded, in order, no stream in two statements at once."""

import asyncio
from collections import deque
from dataclasses import dataclass, field
from typing import Final

from eventstore.errors import Overloaded
from eventstore.event_log import Appended, Write
from eventstore.postgres.bounds import Bounds
from eventstore.postgres.patience import Patience
from eventstore.stream_id import StreamId

BATCH_EVENTS: Final = 400
BATCH_BYTES: Final = 8 << 20
_LEAST_SHARE: Final = 8


@dataclass(slots=True, eq=False)
class Pending:
    """An append that was taken on, and where its answer goes.

    `is_sent`: a statement has taken it, and it goes on without its caller, whose leaving cancels
    `answer`. `is_answered`: there was an answer, whether or not somebody still waited for it.
    `lost` is the error after which it is unknown whether an earlier try of it landed.
    `is_contested`: it goes on alone, apart from the batch that it was in.
    """

    writes: tuple[Write, ...]
    answer: asyncio.Future[Appended]
    patience: Patience
    is_sent: bool = False
    is_answered: bool = False
    is_contested: bool = False
    lost: BaseException | None = None
    streams: frozenset[StreamId] = field(init=False)
    events: int = field(init=False)
    size: int = field(init=False)

    def __post_init__(self) -> None:
        # Plain loops: this is done for each append that there is.
        streams, events, size = [], 0, 0
        for write in self.writes:
            streams.append(write.stream)
            events += len(write.events)
            for event in write.events:
                size += len(event.data) + len(event.metadata)
        self.streams, self.events, self.size = frozenset(streams), events, size


class AppendQueue:
    """Holds as many appends and bytes as the bounds say, those under way included.

    Of several lanes each takes its share of what there is, or one would take all of it and leave
    the others idle.
    """

    def __init__(self, bounds: Bounds) -> None:
        self._most = bounds.in_flight
        self._most_bytes = bounds.in_flight_bytes
        self._lanes = bounds.lanes
        self._waiting: deque[Pending] = deque()
        self._busy: set[StreamId] = set()
        self._count = 0
        self._bytes = 0

    def put(self, pending: Pending) -> None:
        """Take it on; raises Overloaded when there is too much already."""
        if self._count >= self._most:
            raise Overloaded(f"{self._most} appends are in flight: try again later")
        if self._count and self._bytes + pending.size > self._most_bytes:
            raise Overloaded(f"{self._most_bytes} bytes are in flight: try again later")
        self._count += 1
        self._bytes += pending.size
        self._waiting.append(pending)

    @property
    def is_waited_in(self) -> bool:
        return bool(self._waiting)

    def take(self) -> list[Pending]:
        """Give the next statement's appends: the oldest whose streams are free; none: empty."""
        batch: list[Pending] = []
        passed: list[Pending] = []
        # Nothing overtakes an append that waits for a stream on any stream of that append.
        blocked = set(self._busy)
        events, size = 0, 0
        share = max(-(-self._count // self._lanes), _LEAST_SHARE)
        while self._waiting and len(batch) < share:
            pending = self._waiting[0]
            events, size = events + pending.events, size + pending.size
            if batch and (events > BATCH_EVENTS or size > BATCH_BYTES):
                break
            self._waiting.popleft()
            if pending.answer.cancelled():
                continue
            if blocked.isdisjoint(pending.streams):
                pending.is_sent = True
                batch.append(pending)
                self._busy |= pending.streams
            else:
                passed.append(pending)
            blocked |= pending.streams
        self._waiting.extendleft(reversed(passed))
        return batch

    def withdraw(self, pending: Pending) -> None:
        """Let go of an append that was not taken: its caller has left."""
        pending.answer.cancel()
        self._forget(pending)

    def release(self, pending: Pending) -> None:
        """Let go of an append that was taken, once it has its answer."""
        self._busy -= pending.streams
        self._forget(pending)

    def _forget(self, pending: Pending) -> None:
        self._count -= 1
        self._bytes -= pending.size
