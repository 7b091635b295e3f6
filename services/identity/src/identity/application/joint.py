"""Decides on one stream together with others, and appends to all of them at once or to none.

A password that is right changes the agent and begins a session; a set of identifiers changes the
conversation's verification and the patients' counts. Each stream is appended to at the revision
that was decided on, so that whatever is judged at the same time waits for the other's outcome:
guessing in parallel gains nothing.
"""

import asyncio
import hmac
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final, Generic, TypeAlias, TypeVar

from eventstore.decider import Decider, Rejected
from eventstore.errors import EventIdReused, RevisionConflict
from eventstore.event import RecordedEvent
from eventstore.event_log import EventLog, Write
from eventstore.execute import ConflictPersists, Executor, Request
from eventstore.expected_revision import ExpectedRevision
from eventstore.state_cache import Loaded
from eventstore.stream_id import StreamId
from eventstore.turns import Turns
from runtime.event_codec import LogCodec

S = TypeVar("S")
E = TypeVar("E")
T = TypeVar("T")
F = TypeVar("F")

_TRIES: Final = 5
_MOST_EVENTS: Final = 64
_LONGEST_LINE: Final = 256
_Change: TypeAlias = tuple[StreamId, Loaded[Any], Sequence[Any]]


@dataclass(frozen=True, slots=True)
class Part(Generic[S, E]):
    """A stream that is decided on; its events are sealed under the subject of its name."""

    stream: StreamId
    decider: Decider[S, E]


@dataclass(frozen=True, slots=True)
class Joint(Generic[E, F]):
    """What is to be appended: to the leading stream, and to each of the others (none: nothing)."""

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
    """Executes joint decisions on streams of one tenant, in turns on the leading stream."""

    def __init__(self, log: EventLog, codec: LogCodec, executor: Executor) -> None:
        self._log = log
        self._codec = codec
        self._executor = executor
        self._turns = Turns(_LONGEST_LINE)

    async def execute(
        self,
        request: Request,
        leading: Part[S, E],
        others: Sequence[Part[T, F]],
        command: Callable[[S, Sequence[T]], Joint[E, F]],
    ) -> Jointly[S, E, T]:
        """Apply a command, which gives at least one event on the leading stream.

        The same request again is answered as it was the first time, whatever others it is sent
        with. Raises what the command raises (Rejected), ConflictPersists, EventIdReused, and what
        `EventLog.append` raises.
        """
        async with self._turns.turn(leading.stream):
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
        appended = await self._log.append(*await self._writes(request, changes))
        if appended.duplicate:
            again: Jointly[S, E, T] | None = await self._repeat(request, leading)
            if again is not None:
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
        recalled = await self._log.recall([request.ids(place) for place in range(_MOST_EVENTS)])
        for event in recalled:
            if not hmac.compare_digest(event.digest, request.digest):
                raise EventIdReused(event.id)
        own = [event for event in recalled if event.stream == leading.stream]
        if not own:
            return None
        state = await self._state_at(leading, own[-1])
        events = tuple(self._codec.decode(event) for event in own)
        return Jointly(state, events, (), own[-1].revision, recalled[-1].position, duplicate=True)  # type: ignore[arg-type]  # a codec knows messages, not which of them a stream has

    async def _state_at(self, part: Part[S, E], last: RecordedEvent) -> S:
        state = part.decider.initial
        async for event in self._log.read_stream(part.stream, limit=last.revision + 1):
            state = part.decider.evolve(state, self._codec.decode(event))  # type: ignore[arg-type]  # as above
        return state
