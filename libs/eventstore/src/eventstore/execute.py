"""The shell around every aggregate: load, decide, append."""

import hmac
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar
from uuid import UUID

from eventstore.as_of import AsOf
from eventstore.codec import Codec
from eventstore.decider import Decider, Rejected
from eventstore.durability import Durability
from eventstore.errors import EventIdReused, EventLogError, RevisionConflict
from eventstore.event import NewEvent, RecordedEvent
from eventstore.event_log import EventLog, Write
from eventstore.expected_revision import ExpectedRevision
from eventstore.state_cache import Loaded, StateCache
from eventstore.state_reader import StateReader
from eventstore.stream_id import StreamId
from eventstore.turns import Turns

S = TypeVar("S")
E = TypeVar("E")

MAX_EVENTS = 16
_TRIES = 3
_LONGEST_LINE = 256


@dataclass(frozen=True, slots=True)
class Request:
    """What a repeated request is known by: the ids of its events, by ordinal, and its digest.

    `metadata` is stored beside the events and may differ from one try to the next.
    """

    ids: Callable[[int], UUID]
    digest: bytes
    metadata: bytes


@dataclass(frozen=True, slots=True)
class Executed(Generic[S, E]):
    """What a request came to: the state it left, its events, and where they are.

    `revision` is the state's last revision (-1: no stream), `position` that event's position.
    `duplicate`: the request had been executed before; `events` are then without sealed parts.
    """

    state: S
    events: tuple[E, ...]
    revision: int
    position: int
    duplicate: bool


@dataclass(frozen=True, slots=True)
class _Case(Generic[S, E]):
    """One request on one stream, while it is being executed."""

    stream: StreamId
    decider: Decider[S, E]
    command: Callable[[S], Sequence[E]]
    subject: str
    request: Request
    expected_etag: int | None
    durability: Durability


class ConflictPersists(EventLogError):
    """Other writers were faster three times; nothing was written: try again."""


class Executor:
    """Executes commands on streams of one log, keeping `cache_size` states.

    Commands on one stream take `turns`, whoever else decides on several streams among them.

    A kept state is only ever a guess: what it leads to is either judged by the append, which
    expects its revision, or looked at again on the stream's newest state before it is answered.
    A process ends with the epoch of its log: after a restore a revision may mean another event.
    """

    def __init__(
        self,
        log: EventLog,
        codec: Codec,
        *,
        cache_size: int = 10_000,
        states: StateReader | None = None,
    ) -> None:
        self._log = log
        self._codec = codec
        self._states = states or StateReader(log, codec)
        self._cache = StateCache(cache_size)
        self.turns = Turns(_LONGEST_LINE)

    async def execute(
        self,
        stream: StreamId,
        decider: Decider[S, E],
        command: Callable[[S], Sequence[E]],
        *,
        subject: str,
        request: Request,
        expected_etag: int | None = None,
        durability: Durability = Durability.LOCAL,
    ) -> Executed[S, E]:
        """Apply a command; the same request again is answered as it was the first time.

        `command` gives at most 16 events, none for "already so". Raises what it raises
        (Rejected), RevisionConflict when the stream is not at `expected_etag`, ConflictPersists,
        EventIdReused, and what `EventLog.append` raises.
        """
        case = _Case(stream, decider, command, subject, request, expected_etag, durability)
        async with self.turns.turn(stream):
            return await self._execute(case)

    async def load(
        self, stream: StreamId, decider: Decider[S, E], *, as_of: AsOf | None = None
    ) -> Loaded[S]:
        """Read a stream's newest state, or that of then; its revision is -1 without a stream."""
        if as_of is not None:
            return await self._states.at(stream, decider, as_of)
        return await self._read(stream, decider, self._cache.get(stream, decider))

    async def _execute(self, case: _Case[S, E]) -> Executed[S, E]:
        kept = self._cache.get(case.stream, case.decider)
        loaded = kept or await self.load(case.stream, case.decider)
        is_newest = kept is None
        conflicts = 0
        while True:
            events, refusal = _decide(case, loaded)
            if events:
                try:
                    return await self._append(case, loaded, events)
                except RevisionConflict as conflict:
                    conflicts += 1
                    if conflicts == _TRIES:
                        text = "other writers were faster three times: try again"
                        raise ConflictPersists(text) from conflict
            elif again := await self._repeat(case, loaded):
                return again
            elif is_newest:
                if refusal:
                    raise refusal
                return Executed(loaded.state, (), loaded.revision, loaded.position, duplicate=False)
            loaded = await self._read(case.stream, case.decider, loaded)
            is_newest = True

    async def _append(
        self, case: _Case[S, E], loaded: Loaded[S], events: tuple[E, ...]
    ) -> Executed[S, E]:
        ids = [case.request.ids(ordinal) for ordinal in range(len(events))]
        new = await self._codec.encode(
            case.stream, case.subject, ids, events, case.request.metadata, case.request.digest
        )
        expected = (
            ExpectedRevision.NO_STREAM
            if loaded.revision < 0
            else ExpectedRevision.exact(loaded.revision)
        )
        try:
            appended = await self._log.append(
                Write(case.stream, expected, new), durability=case.durability
            )
        except EventIdReused:
            # Also when this request had given fewer events the first time, on another state.
            if again := await self._repeat(case, loaded):
                return again
            raise
        if appended.duplicate and (again := await self._repeat(case, loaded)):
            return again
        state = case.decider.fold(loaded.state, events)
        after = Loaded(state, appended.revisions[0], appended.position)
        self._cache.put(case.stream, case.decider, after)
        return Executed(state, events, after.revision, after.position, duplicate=False)

    async def _repeat(self, case: _Case[S, E], loaded: Loaded[S]) -> Executed[S, E] | None:
        """Answer as the first time, None if there was none."""
        recalled = await self._log.recall([case.request.ids(n) for n in range(MAX_EVENTS)])
        for event in recalled:
            if not hmac.compare_digest(event.digest, case.request.digest):
                raise EventIdReused(event.id)
        own = [event for event in recalled if event.stream == case.stream]
        if not own:
            return None
        if case.durability is Durability.REPLICATED:
            # Known already, so that this only waits for what the first time perhaps did not.
            known = tuple(_as_new(event) for event in own)
            await self._log.append(
                Write(case.stream, ExpectedRevision.ANY, known), durability=case.durability
            )
        last = own[-1]
        state = loaded.state
        if loaded.revision != last.revision:
            then = await self._states.at(case.stream, case.decider, AsOf(revision=last.revision))
            state = then.state
        events = tuple(self._codec.decode(event) for event in own)
        return Executed(state, events, last.revision, last.position, duplicate=True)

    async def _read(
        self, stream: StreamId, decider: Decider[S, E], known: Loaded[S] | None
    ) -> Loaded[S]:
        loaded = await self._states.newest(stream, decider, known)
        self._cache.put(stream, decider, loaded)
        return loaded


def _decide(
    case: _Case[S, E], loaded: Loaded[S]
) -> tuple[tuple[E, ...], Rejected | RevisionConflict | None]:
    """Give the command's events, or why there are none; no reason means "already so"."""
    if case.expected_etag not in (None, loaded.revision):
        expected = ExpectedRevision.exact(case.expected_etag)
        actual = None if loaded.revision < 0 else loaded.revision
        return (), RevisionConflict(case.stream, expected, actual)
    try:
        events = tuple(case.command(loaded.state))
    except Rejected as refusal:
        return (), refusal
    if len(events) > MAX_EVENTS:
        raise ValueError(f"a command gives at most {MAX_EVENTS} events: split it")
    return events, None


def _as_new(event: RecordedEvent) -> NewEvent:
    return NewEvent(event.id, event.type, event.data, event.metadata, event.digest)
