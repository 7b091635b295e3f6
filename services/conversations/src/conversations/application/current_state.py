"""A conversation as it is now, or was, read from the log."""

from typing import Protocol, TypeVar

from eventstore.as_of import AsOf
from eventstore.decider import Decider
from eventstore.state_cache import Loaded
from eventstore.stream_id import StreamId

from conversations.domain.conversation import DECIDER, Conversation

S = TypeVar("S")
E = TypeVar("E")


class States(Protocol):
    """Reads streams' states: eventstore's StateReader."""

    async def newest(self, stream: StreamId, decider: Decider[S, E], /) -> Loaded[S]: ...

    async def at(self, stream: StreamId, decider: Decider[S, E], as_of: AsOf, /) -> Loaded[S]: ...


class ConversationReader:
    """Reads conversations; what was answered by a write is in them."""

    def __init__(self, states: States) -> None:
        self._states = states

    async def read(self, stream: StreamId) -> Loaded[Conversation]:
        """Give the state and its last revision, -1 when there is no such conversation."""
        return await self._states.newest(stream, DECIDER)

    async def read_at(self, stream: StreamId, as_of: AsOf) -> Loaded[Conversation]:
        """Give the state as it was then; who may see it is not decided by it."""
        return await self._states.at(stream, DECIDER, as_of)
