"""The history of a conversation, and what is added to it."""

from collections.abc import AsyncGenerator, AsyncIterator
from dataclasses import dataclass
from typing import Any, Final

from eventstore.as_of import AsOf
from eventstore.event import RecordedEvent
from eventstore.event_log import EventLog
from eventstore.stream_id import StreamId
from google.protobuf.message import Message
from runtime.access import Access
from runtime.event_codec import LogCodec
from runtime.request_context import current_request
from sealing.sealer import Opened

from conversations.application.arrivals import Arrivals
from conversations.application.current_state import ConversationReader
from conversations.application.relations import require_access
from conversations.application.watch_disclosure import Discloser, WatchDisclosure
from conversations.domain.conversation import DECIDER, Conversation

PAGE_EVENTS: Final = 40
"""As many of the longest texts (4,096 characters of 4 bytes) stay below a message of 1 MiB."""


@dataclass(frozen=True, slots=True)
class History:
    """Some events, opened, and the revision that comes after them; none is a heartbeat."""

    events: tuple[tuple[RecordedEvent, Opened[Message]], ...]
    next_revision: int


class Watching:
    """Gives histories to those who may see them; to an agent only after it is noted who sees."""

    def __init__(
        self,
        log: EventLog,
        codec: LogCodec,
        reader: ConversationReader,
        access: Access,
        arrivals: Arrivals,
        discloser: Discloser,
        *,
        heartbeat: float,
    ) -> None:
        self._log = log
        self._codec = codec
        self._reader = reader
        self._access = access
        self._arrivals = arrivals
        self._discloser = discloser
        self._heartbeat = heartbeat

    async def watch(
        self, name: str, from_revision: int, *, snapshot: bool, as_of: AsOf | None = None
    ) -> AsyncGenerator[History, None]:
        """Give pages of the history from a revision on; without end unless it is a snapshot.

        One of the past (`as_of`) always is, and is given and disclosed as one of now. The first
        page comes at once, also when it is empty. Raises Rejected for who may not.
        """
        stream = StreamId(current_request().tenant, name)
        with self._arrivals.listening(stream) as bell:
            loaded = await self._reader.read(stream)
            decision = require_access(self._access, name, loaded.state)
            disclosure = self._discloser.of(name, decision.obligations)
            state, revision = loaded.state, loaded.revision
            position = from_revision
            is_first = True
            while True:
                bell.clear()
                page = [event async for event in self._page(stream, position, as_of)]
                state = self._state_after(state, revision, page)
                position = page[-1].revision + 1 if page else position
                revision = max(revision, position - 1)
                if page or is_first:
                    yield await self._opened(page, position, state, disclosure)
                is_first = False
                if len(page) == PAGE_EVENTS:
                    continue
                if snapshot or as_of is not None:
                    return
                if not await bell.wait(self._heartbeat):
                    yield History((), position)

    def _page(
        self, stream: StreamId, from_revision: int, as_of: AsOf | None
    ) -> AsyncIterator[RecordedEvent]:
        return self._log.read_stream(
            stream, from_revision=from_revision, as_of=as_of, limit=PAGE_EVENTS
        )

    def _state_after(
        self, state: Conversation, revision: int, page: list[RecordedEvent]
    ) -> Conversation:
        """Add what is new: a patient may be linked meanwhile."""
        new: list[Any] = [self._codec.decode(event) for event in page if event.revision > revision]
        return DECIDER.fold(state, new)

    async def _opened(
        self,
        page: list[RecordedEvent],
        next_revision: int,
        state: Conversation,
        disclosure: WatchDisclosure,
    ) -> History:
        if page:
            await disclosure.before(state)
        opened = await self._codec.open(page)
        return History(tuple(zip(page, opened, strict=True)), next_revision)
