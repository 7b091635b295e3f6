"""What frontends, agents and operators do with contacts, desks and queues."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from careline.routing.events.v1.events_pb2 import QueueCreated
from eventstore.decider import Rejected
from eventstore.execute import Executed, Executor, Request
from eventstore.joint import JointExecutor
from eventstore.stream_id import StreamId
from google.protobuf.timestamp_pb2 import Timestamp
from runtime.request_context import current_request

from routing.application.boards import Boards
from routing.application.contact_and_agent import Decided, OnAgent, OnContact, decide_on_both
from routing.application.dispatcher import stamp
from routing.domain import agent, contact, queue
from routing.domain.agent import Agent, Availability
from routing.domain.board import Board
from routing.domain.contact import Contact
from routing.domain.deciders import AGENT, CONTACT, QUEUE
from routing.domain.queue import Queue

_TRIES: Final = 5


@dataclass(frozen=True, slots=True)
class Reached:
    """What a use case came to: the state, its revision, and the log's position."""

    name: str
    contact: Contact
    revision: int
    position: int


class Contacts:
    """Use cases within the caller's tenant; `now` is the clock."""

    def __init__(
        self,
        executor: Executor,
        joint: JointExecutor,
        boards: Boards,
        *,
        now: Callable[[], datetime],
    ) -> None:
        self._executor = executor
        self._joint = joint
        self._boards = boards
        self._now = now

    @property
    def board(self) -> Board:
        return self._boards[current_request().tenant]

    async def enqueue(
        self, name: str, conversation: str, queue_name: str, priority: int, request: Request
    ) -> Reached:
        """Put a conversation into a queue. Raises Rejected for a queue that there is none of."""
        await self._known_queue(queue_name)
        done = await self._executor.execute(
            _stream(name),
            CONTACT,
            lambda state: contact.enqueue(
                state,
                conversation=conversation,
                queue=queue_name,
                priority=priority,
                at=self._stamp(),
            ),
            subject=name,
            request=request,
        )
        return _reached(name, done)

    async def leave(self, name: str, reason: str, request: Request) -> Reached:
        """Take a contact out of its queue, and free the agent who was being asked.

        Raises Rejected, CONFLICT when it was offered anew at every try.
        """
        for _ in range(_TRIES - 1):
            try:
                return await self._leave(name, reason, request)
            except Rejected as refusal:
                if refusal.reason != "CONFLICT":
                    raise
        return await self._leave(name, reason, request)

    async def _leave(self, name: str, reason: str, request: Request) -> Reached:
        asked = (await self.contact(name)).contact

        def leaving(state: Contact) -> list[contact.ContactEvent]:
            return contact.leave(state, offer=asked.offer, reason=reason, at=self._stamp())

        if asked.offer:
            rescinded = self._released(asked.offer, "RESCINDED")
            return await self._both(name, leaving, asked.agent, rescinded, request)
        left = await self._executor.execute(
            _stream(name), CONTACT, leaving, subject=name, request=request
        )
        return _reached(name, left)

    async def set_availability(
        self, name: str, availability: Availability, queues: frozenset[str], request: Request
    ) -> Executed[Agent, agent.AgentEvent]:
        """Say whether an agent can be asked, and for which queues."""
        for queue_name in queues:
            await self._known_queue(queue_name)
        return await self._executor.execute(
            _stream(name),
            AGENT,
            lambda state: agent.set_availability(
                state, availability=availability, queues=queues, at=self._stamp()
            ),
            subject=name,
            request=request,
        )

    async def accept(self, who: str, offer: str, request: Request) -> Reached:
        """Give an agent the contact that he was asked to take."""
        asked = (await self._executor.load(_stream(who), AGENT)).state
        if asked.offer != offer:
            before = await self._joint.repeated(request)
            if not before:
                raise Rejected("OFFER_GONE")
            return await self.contact(before[0].stream.name)
        return await self._both(
            asked.contact,
            lambda state: contact.accept(state, offer=offer, agent=who, at=self._stamp()),
            who,
            lambda state: agent.engage(state, offer=offer),
            request,
        )

    async def decline(self, who: str, offer: str, request: Request) -> int:
        """Leave a contact waiting at its old place; gives the log's position."""
        asked = (await self._executor.load(_stream(who), AGENT)).state
        if asked.offer != offer:
            before = await self._joint.repeated(request)
            if not before:
                raise Rejected("OFFER_GONE")
            return max(event.position for event in before)
        declined = await self._both(
            asked.contact,
            lambda state: contact.decline(state, offer=offer, agent=who, at=self._stamp()),
            who,
            self._released(offer, "DECLINED"),
            request,
        )
        return declined.position

    async def complete(self, who: str, name: str, request: Request) -> Reached:
        """Be done with a contact, and free to be asked again."""
        state = (await self.contact(name)).contact
        return await self._both(
            name,
            lambda one: contact.complete(one, offer=state.offer, agent=who, at=self._stamp()),
            who,
            self._released(state.offer, "COMPLETED"),
            request,
        )

    async def create_queue(
        self, name: str, display_name: str, offer_timeout: timedelta, request: Request
    ) -> Executed[Queue, QueueCreated]:
        return await self._executor.execute(
            _stream(name),
            QUEUE,
            lambda state: queue.create(
                state, display_name=display_name, offer_timeout=offer_timeout
            ),
            subject=name,
            request=request,
        )

    async def contact(self, name: str) -> Reached:
        """Read a contact. Raises Rejected when the tenant has none of that name."""
        loaded = await self._executor.load(_stream(name), CONTACT)
        if loaded.revision < 0:
            raise Rejected("DENIED_OR_ABSENT")
        return Reached(name, loaded.state, loaded.revision, loaded.position)

    async def place(self, name: str) -> tuple[Reached, int]:
        """Read a contact and its place in its queue, 0 when it does not wait."""
        reached = await self.contact(name)
        await self._boards.reached(reached.position, current_request().remaining())
        return reached, self.board.place(name)

    async def newest_board(self) -> Board:
        """Give the board once it holds all that was appended before."""
        await self._boards.caught_up(current_request().remaining())
        return self.board

    async def _known_queue(self, name: str) -> None:
        if (await self._executor.load(_stream(name), QUEUE)).revision < 0:
            raise Rejected("QUEUE_UNKNOWN")

    async def _both(
        self, name: str, on_contact: OnContact, who: str, on_agent: OnAgent, request: Request
    ) -> Reached:
        decided = await decide_on_both(
            self._joint, request, (_stream(name), on_contact), (_stream(who), on_agent)
        )
        return _reached(name, decided)

    def _released(self, offer: str, reason: str) -> OnAgent:
        return lambda state: agent.release(state, offer=offer, reason=reason, at=self._stamp())

    def _stamp(self) -> Timestamp:
        return stamp(self._now())


def _stream(name: str) -> StreamId:
    return StreamId(current_request().tenant, name)


def _reached(name: str, done: Executed[Contact, contact.ContactEvent] | Decided) -> Reached:
    return Reached(name, done.state, done.revision, done.position)
