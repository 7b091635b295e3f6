"""Decides on one stream together with others, and appends to all of them at once or to none.

A password that is right changes the agent and begins a session; an offer changes the contact and
the agent who is asked. Each stream is appended to at the revision that was decided on, so that
whatever is judged at the same time waits for the other's outcome: guessing in parallel gains
nothing, and nobody is asked for what another one has.
"""

import asyncio
import hmac
from collections.abc import Callable, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass
from typing import Any, Final, Generic, TypeAlias, TypeVar

from eventstore.as_of import AsOf
from eventstore.codec import Codec
from eventstore.decider import Decider, Rejected
from eventstore.errors import EventIdReused, RevisionConflict
from eventstore.event import RecordedEvent
from eventstore.event_log import EventLog, Write
from eventstore.execute import ConflictPersists, Executor, Request
from eventstore.expected_revision import ExpectedRevision
from eventstore.state_cache import Loaded
from eventstore.stream_id import StreamId

S = TypeVar("S")
E = TypeVar("E")
T = TypeVar("T")
F = TypeVar("F")

MAX_EVENTS: Final = 64
_TRIES: Final = 5
_Change: TypeAlias = tuple[StreamId, Loaded[Any], Sequence[Any]]


@dataclass(frozen=True, slots=True)
class Part(Generic[S, E]):
    """A stream that is decided on; its events are sealed under the subject of its name."""

    stream: StreamId
    decider: Decider[S, E]


@dataclass(frozen=True, slots=True)
class Joint(Generic[E, F]):
    """What is to be appended: to the leading stream, and to each of the others.

    No events on the leading stream mean "already so", and then there are none on the others.
    """

    leading: Sequence[E]
    others: Sequence[Sequence[F]]


@dataclass(frozen=True, slots=True)
class Jointly(Generic[S, E, T]):
    """What a request came to: its events on the leading stream, and the states it left.

    `duplicate`: the request had been executed before; events are then without sealed parts, and
    `others` is empty.
    """

    state: S
    events: tuple[E, ...]
    others: tuple[T, ...]
    revision: int
    position: int
    duplicate: bool


class JointExecutor:
    """Executes joint decisions on streams of one tenant.

    It takes its turn on each of them among the commands of `executor`, whose states it reads.
    """

    def __init__(self, log: EventLog, codec: Codec, executor: Executor) -> None:
        self._log = log
        self._codec = codec
        self._executor = executor

    async def execute(
        self,
        request: Request,
        leading: Part[S, E],
        others: Sequence[Part[T, F]],
        command: Callable[[S, Sequence[T]], Joint[E, F]],
    ) -> Jointly[S, E, T]:
        """Apply a command, which gives at most 64 events in all.

        The same request again is answered as it was the first time, whatever others it is sent
        with. Raises what the command raises (Rejected), ConflictPersists, EventIdReused, and what
        `EventLog.append` raises.
        """
        async with AsyncExitStack() as turns:
            # In one order for all, so that no two requests wait for each other.
            for stream in sorted({leading.stream, *(part.stream for part in others)}):
                await turns.enter_async_context(self._executor.turns.turn(stream))
            for _ in range(_TRIES):
                try:
                    return await self._attempt(request, leading, others, command)
                except RevisionConflict:
                    continue
                except (Rejected, EventIdReused):
                    again: Jointly[S, E, T] | None = await self._repeat(request, leading)
                    if again is None:
                        raise
                    return again
        raise ConflictPersists("others kept deciding on the same: try again")

    async def repeated(self, request: Request) -> Sequence[RecordedEvent]:
        """Give the events of a request that was executed before, none when it was not.

        The first is on its leading stream. Raises EventIdReused when its id belongs to another
        request.
        """
        recalled = await self._recall(request)
        order = {request.ids(place): place for place in range(MAX_EVENTS)}
        return sorted(recalled, key=lambda event: order[event.id])

    async def _attempt(
        self,
        request: Request,
        leading: Part[S, E],
        others: Sequence[Part[T, F]],
        command: Callable[[S, Sequence[T]], Joint[E, F]],
    ) -> Jointly[S, E, T]:
        lead, rest = await asyncio.gather(
            self._executor.load(leading.stream, leading.decider),
            asyncio.gather(*(self._executor.load(part.stream, part.decider) for part in others)),
        )
        decided = command(lead.state, [loaded.state for loaded in rest])
        beside = list(zip(others, rest, decided.others, strict=True))
        changes: list[_Change] = [(leading.stream, lead, decided.leading)]
        changes += [(part.stream, loaded, events) for part, loaded, events in beside]
        if not _has_events(changes):
            again: Jointly[S, E, T] | None = await self._repeat(request, leading)
            states = tuple(loaded.state for loaded in rest)
            return again or Jointly(
                lead.state, (), states, lead.revision, lead.position, duplicate=False
            )
        appended = await self._log.append(*await self._writes(request, changes))
        if appended.duplicate and (again := await self._repeat(request, leading)):
            return again
        return Jointly(
            leading.decider.fold(lead.state, decided.leading),
            tuple(decided.leading),
            tuple(part.decider.fold(loaded.state, events) for part, loaded, events in beside),
            appended.revisions[0],
            appended.position,
            duplicate=False,
        )

    async def _writes(self, request: Request, changes: Sequence[_Change]) -> list[Write]:
        writes: list[Write] = []
        ordinal = 0
        for stream, loaded, events in changes:
            if not events:
                continue
            ids = [request.ids(ordinal + place) for place in range(len(events))]
            ordinal += len(events)
            encoded = await self._codec.encode(
                stream, stream.name, ids, events, request.metadata, request.digest
            )
            expected = (
                ExpectedRevision.NO_STREAM
                if loaded.revision < 0
                else ExpectedRevision.exact(loaded.revision)
            )
            writes.append(Write(stream, expected, encoded))
        return writes

    async def _repeat(self, request: Request, leading: Part[S, E]) -> Jointly[S, E, T] | None:
        """Answer as the first time, None if there was none."""
        recalled = await self._recall(request)
        own = [event for event in recalled if event.stream == leading.stream]
        if not own:
            return None
        then = await self._executor.load(
            leading.stream, leading.decider, as_of=AsOf(revision=own[-1].revision)
        )
        events: tuple[E, ...] = tuple(self._codec.decode(event) for event in own)
        return Jointly(
            then.state, events, (), own[-1].revision, recalled[-1].position, duplicate=True
        )

    async def _recall(self, request: Request) -> list[RecordedEvent]:
        recalled = await self._log.recall([request.ids(place) for place in range(MAX_EVENTS)])
        for event in recalled:
            if not hmac.compare_digest(event.digest, request.digest):
                raise EventIdReused(event.id)
        return recalled


def _has_events(changes: Sequence[_Change]) -> bool:
    """Tell whether there is anything to append; raises ValueError for what no command may give."""
    counts = [len(events) for _, _, events in changes]
    if not counts[0] and any(counts):
        raise ValueError("a joint decision changes its leading stream, or nothing")
    if sum(counts) > MAX_EVENTS:
        raise ValueError(f"a joint decision gives at most {MAX_EVENTS} events: split it")
    return bool(counts[0])
