"""Folds a stream into its state: from a state known already, a snapshot, or the start."""

from typing import TypeVar

from eventstore.as_of import AsOf
from eventstore.codec import Codec
from eventstore.decider import Decider
from eventstore.event_log import EventLog
from eventstore.snapshots import Snapshots
from eventstore.state_cache import Loaded
from eventstore.stream_id import StreamId

S = TypeVar("S")
E = TypeVar("E")


class StateReader:
    """A state to go on from is only a guess: the stream must still hold its last event.

    One that it does not hold (the log was restored) is passed over.
    """

    def __init__(self, log: EventLog, codec: Codec, snapshots: Snapshots | None = None) -> None:
        self._log = log
        self._codec = codec
        self._snapshots = snapshots

    async def newest(
        self, stream: StreamId, decider: Decider[S, E], known: Loaded[S] | None = None
    ) -> Loaded[S]:
        """Give the state at the stream's end; its revision is -1 when there is no stream."""
        if known is not None and (loaded := await self._from(stream, decider, known)):
            return loaded
        return await self._read(stream, decider, None)

    async def at(self, stream: StreamId, decider: Decider[S, E], as_of: AsOf) -> Loaded[S]:
        """Give the state as it was then; its revision is -1 when there was no stream yet."""
        async for last in self._log.read_stream(stream, as_of=as_of, backwards=True, limit=1):
            return await self._read(stream, decider, last.revision)
        return Loaded(decider.initial, -1, 0)

    async def _read(self, stream: StreamId, decider: Decider[S, E], until: int | None) -> Loaded[S]:
        if self._snapshots is not None:
            found = await self._snapshots.find(stream, decider)
            if found is not None and (until is None or found.revision <= until):
                if loaded := await self._from(stream, decider, found, until):
                    self._snapshots.was_used()
                    return loaded
                self._snapshots.was_not_held(stream, found.revision)
        nothing = Loaded(decider.initial, -1, 0)
        return await self._from(stream, decider, nothing, until) or nothing

    async def _from(
        self,
        stream: StreamId,
        decider: Decider[S, E],
        start: Loaded[S],
        until: int | None = None,
    ) -> Loaded[S] | None:
        """Go on from a state; None when the stream does not hold its last event."""
        first = max(start.revision, 0)
        limit = None if until is None else until + 1 - first
        state, revision, position = start.state, -1, 0
        async for event in self._log.read_stream(stream, from_revision=first, limit=limit):
            if event.revision == start.revision:
                if event.position != start.position:
                    return None
            else:
                state = decider.evolve(state, self._codec.decode(event))
            revision, position = event.revision, event.position
        if revision < start.revision:
            return None
        loaded = Loaded(state, revision, position)
        if self._snapshots is not None and until is None:
            await self._snapshots.keep(stream, decider, start, loaded)
        return loaded
