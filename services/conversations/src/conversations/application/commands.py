"""Requests on conversations: load, decide who may and what happens, append."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TypeAlias

from eventstore.execute import Executor, Request
from eventstore.stream_id import StreamId
from google.protobuf.message import Message
from google.protobuf.timestamp_pb2 import Timestamp
from runtime.access import Access
from runtime.idempotency import Requests
from runtime.request_context import current_request

from conversations.application.occasion import Occasion
from conversations.application.relations import require_access
from conversations.domain.conversation import DECIDER, Conversation, Event

Command: TypeAlias = Callable[[Conversation, Occasion], Sequence[Event]]
Clock: TypeAlias = Callable[[], datetime]


@dataclass(frozen=True, slots=True)
class Done:
    """What a request came to: its occasion, the conversation it left, and where that stands."""

    occasion: Occasion
    name: str
    state: Conversation
    revision: int
    position: int


class Commands:
    """Carries requests out; a repeated one is answered as the first time.

    Raises Rejected, RevisionConflict, ConflictPersists, EventIdReused and what the log raises.
    """

    def __init__(
        self, executor: Executor, requests: Requests, access: Access, clock: Clock
    ) -> None:
        self._executor = executor
        self._requests = requests
        self._access = access
        self._clock = clock

    async def start(self, message: Message, command: Command) -> Done:
        """Start a conversation, which the request names."""
        occasion = self._occasion(await self._requests.request_of(message))
        return await self._execute(occasion.name("conversations"), occasion, command, None)

    async def execute(
        self, name: str, message: Message, command: Command, *, etag: int | None = None
    ) -> Done:
        """Carry a request out on a conversation, if policies let the caller."""

        def allowed(state: Conversation, occasion: Occasion) -> Sequence[Event]:
            require_access(self._access, name, state)
            return command(state, occasion)

        occasion = self._occasion(await self._requests.request_of(message))
        return await self._execute(name, occasion, allowed, etag)

    async def decide_oneself(self, name: str, request: Request, command: Command) -> Done:
        """Carry out what the service itself decides: a reaction, or something overdue."""
        return await self._execute(name, self._occasion(request), command, None)

    def _occasion(self, request: Request) -> Occasion:
        at = Timestamp()
        at.FromDatetime(self._clock())
        return Occasion(at, request)

    async def _execute(
        self, name: str, occasion: Occasion, command: Command, etag: int | None
    ) -> Done:
        done = await self._executor.execute(
            StreamId(current_request().tenant, name),
            DECIDER,
            lambda state: command(state, occasion),
            subject=name,
            request=occasion.request,
            expected_etag=etag,
        )
        return Done(occasion, name, done.state, done.revision, done.position)
