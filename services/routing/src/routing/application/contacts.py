"""What frontends, agents and operators do with contacts, desks and queues."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final

from careline.routing.events.v1.events_pb2 import QueueCreated
from eventstore.decider import Rejected
from eventstore.execute import ConflictPersists, Executed, Executor, Request
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

_TRIES: Final = 3


@dataclass(frozen=True, slots=True)
class Reached:
    """What a use case came to: the state, its revision, and the log's position."""

    name: str
    contact: Contact
    revision: int
    position: int


class _OfferMoved(Exception):
    """Another agent is asked by now than the one whom this decision would free."""


class Contacts:
    """Use cases within the caller's tenant; `now` is the clock."""

    def __init__(
        self,
        executor: Executor,
        joint: JointExecutor,
        boards: Boards,
        *,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
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
        """Take a contact out of its queue, and free the agent who was being asked."""
        for _ in range(_TRIES):
            asked = (await self.contact(name)).contact
            leaving = _leaving(asked.offer, reason, self._stamp())
            try:
                if not asked.offer:
                    return _reached(
                        name,
                        await self._executor.execute(
                            _stream(name), CONTACT, leaving, subject=name, request=request
                        ),
                    )
                released = self._released(asked.offer, "RESCINDED")
                return await self._both(name, leaving, asked.agent, released, request)
            except _OfferMoved:
                continue
        raise ConflictPersists("the contact is offered again and again: try again")

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
            raise Rejected("OFFER_GONE")
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
            if before is None:
                raise Rejected("OFFER_GONE")
            return before.position
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
            lambda one: contact.complete(one, agent=who, at=self._stamp()),
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


def _leaving(offer: str, reason: str, at: Timestamp) -> OnContact:
    """Leave with this offer open (empty: with none), and with no other."""

    def leave(state: Contact) -> list[contact.ContactEvent]:
        left = contact.leave(state, reason=reason, at=at)
        if left and state.offer != offer:
            raise _OfferMoved
        return left

    return leave
