"""A conversation as it is now, read from the log."""

from typing import Any, Protocol

from eventstore.event import RecordedEvent
from eventstore.event_log import EventLog
from eventstore.state_cache import Loaded
from eventstore.stream_id import StreamId

from conversations.domain.conversation import DECIDER, Conversation


class Decoder(Protocol):
    """Gives the clear part of a recorded event: runtime's LogCodec."""

    def decode(self, recorded: RecordedEvent, /) -> Any: ...  # noqa: ANN401  events have no common class of their own


class ConversationReader:
    """Folds streams; what was answered by a write is in them."""

    def __init__(self, log: EventLog, codec: Decoder) -> None:
        self._log = log
        self._codec = codec

    async def read(self, stream: StreamId) -> Loaded[Conversation]:
        """Give the state and its last revision, -1 when there is no such conversation."""
        loaded = Loaded(DECIDER.initial, -1, 0)
        async for event in self._log.read_stream(stream):
            state = DECIDER.evolve(loaded.state, self._codec.decode(event))
            loaded = Loaded(state, event.revision, event.position)
        return loaded
