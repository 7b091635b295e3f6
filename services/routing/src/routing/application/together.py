"""Decides on several streams and appends to them at once: all of it happens, or nothing.

Asking an agent changes the contact and the agent; two separate appends could leave an agent asked
for a contact that another one has.
"""

import hmac
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final

from eventstore.decider import Decider, Rejected
from eventstore.errors import EventIdReused, RevisionConflict
from eventstore.event import RecordedEvent
from eventstore.event_log import EventLog, Write
from eventstore.execute import ConflictPersists, Request
from eventstore.expected_revision import ExpectedRevision
from eventstore.stream_id import StreamId
from runtime.event_codec import LogCodec

TRIES: Final = 5


@dataclass(frozen=True, slots=True)
class Step:
    """What is to happen on one stream."""

    stream: StreamId
    decider: Decider[Any, Any]
    command: Callable[[Any], Sequence[Any]]


@dataclass(frozen=True, slots=True)
class Done:
    """What came of the steps: each one's state and last revision, and the log's position."""

    states: tuple[Any, ...]
    revisions: tuple[int, ...]
    position: int


class Together:
    """Executes steps on streams of one tenant."""

    def __init__(self, log: EventLog, codec: LogCodec) -> None:
        self._log = log
        self._codec = codec

    async def execute(self, request: Request, *steps: Step) -> Done:
        """Apply all commands or none; the same request again is answered as it was the first time.

        Raises what a command raises (Rejected), ConflictPersists, EventIdReused, and what
        `EventLog.append` raises.
        """
        for last in (False,) * (TRIES - 1) + (True,):
            try:
                return await self._attempt(request, steps)
            except Rejected:
                if await self.landed_at(request) is None:
                    raise
                return await self._as_it_stands(steps)
            except RevisionConflict as conflict:
                if last:
                    text = "others kept changing the same contact: try again"
                    raise ConflictPersists(text) from conflict
        raise AssertionError("the last try returns or raises")

    async def landed_at(self, request: Request) -> int | None:
        """Give the position of a request that was executed before, None when it was not.

        Raises EventIdReused when its id belongs to another request.
        """
        first = await self.first_event(request)
        return None if first is None else first.position

    async def first_event(self, request: Request) -> RecordedEvent | None:
        """Give what a request appended first; as `landed_at`."""
        for event in await self._log.recall([request.ids(0)]):
            if not hmac.compare_digest(event.digest, request.digest):
                raise EventIdReused(event.id)
            return event
        return None

    async def _as_it_stands(self, steps: Sequence[Step]) -> Done:
        loaded = [await self._load(step) for step in steps]
        position = (await self._log.head()).position
        return Done(tuple(one[0] for one in loaded), tuple(one[1] for one in loaded), position)

    async def _attempt(self, request: Request, steps: Sequence[Step]) -> Done:
        writes: list[Write] = []
        states: list[Any] = []
        revisions: list[int] = []
        ordinal = 0
        for step in steps:
            state, revision = await self._load(step)
            events = tuple(step.command(state))
            states.append(step.decider.fold(state, events))
            revisions.append(revision + len(events))
            if events:
                ids = [request.ids(ordinal + n) for n in range(len(events))]
                writes.append(await self._write(step.stream, revision, ids, events, request))
            ordinal += len(events)
        if not writes:
            return Done(tuple(states), tuple(revisions), (await self._log.head()).position)
        appended = await self._log.append(*writes)
        return Done(tuple(states), tuple(revisions), appended.position)

    async def _load(self, step: Step) -> tuple[Any, int]:
        state, revision = step.decider.initial, -1
        async for recorded in self._log.read_stream(step.stream):
            state = step.decider.evolve(state, self._codec.decode(recorded))
            revision = recorded.revision
        return state, revision

    async def _write(
        self,
        stream: StreamId,
        revision: int,
        ids: Sequence[Any],
        events: Sequence[Any],
        request: Request,
    ) -> Write:
        encoded = await self._codec.encode(
            stream, stream.name, ids, events, request.metadata, request.digest
        )
        expected = ExpectedRevision.NO_STREAM if revision < 0 else ExpectedRevision.exact(revision)
        return Write(stream, expected, encoded)
