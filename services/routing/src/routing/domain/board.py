"""What one tenant's routing looks at when it decides: who waits, who is idle, who is asked.

Made of the log's events alone, in their order, so that every process that follows the log sees the
same board and a replay decides as the day did.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TypeAlias

from careline.routing.events.v1.events_pb2 import (
    AgentAvailabilitySet,
    AgentEngaged,
    AgentReleased,
    AgentReserved,
    ContactCompleted,
    ContactEnqueued,
    ContactLeft,
    ContactOffered,
    OfferAccepted,
    OfferDeclined,
    OfferTimedOut,
    QueueCreated,
)

from routing.domain import agent as agents
from routing.domain import queue as queues
from routing.domain.agent import Agent, AgentEvent
from routing.domain.choice import Choice, Idle, Waiting, choose
from routing.domain.contact import ContactEvent
from routing.domain.queue import Queue

RoutingEvent: TypeAlias = ContactEvent | AgentEvent | QueueCreated


@dataclass(frozen=True, slots=True)
class OpenOffer:
    """An agent who is asked to take a contact, until a time."""

    offer: str
    contact: str
    conversation: str
    agent: str
    until: datetime


@dataclass(slots=True)
class _Contact:
    """A contact that is not over."""

    conversation: str
    queue: str
    priority: int
    since: datetime
    declined_by: frozenset[str] = frozenset()


@dataclass(slots=True)
class Board:
    """One tenant's board; `apply` takes the events of the tenant's streams in order."""

    queues: dict[str, Queue] = field(default_factory=dict)
    offers: dict[str, OpenOffer] = field(default_factory=dict)
    _open: dict[str, _Contact] = field(default_factory=dict)
    _waiting: set[str] = field(default_factory=set)
    _agents: dict[str, Agent] = field(default_factory=dict)

    def apply(self, stream: str, event: RoutingEvent) -> None:
        match event:
            case QueueCreated():
                self.queues[stream] = queues.evolve(Queue(), event)
            case AgentAvailabilitySet() | AgentReserved() | AgentEngaged() | AgentReleased():
                self._agents[stream] = agents.evolve(self._agents.get(stream, Agent()), event)
            case _:
                self._apply_contact(stream, event)

    def _apply_contact(self, name: str, event: ContactEvent) -> None:
        match event:
            case ContactEnqueued():
                since = event.enqueue_time.ToDatetime(UTC)
                self._open[name] = _Contact(event.conversation, event.queue, event.priority, since)
                self._waiting.add(name)
            case ContactOffered():
                self._waiting.discard(name)
                self.offers[event.offer] = OpenOffer(
                    event.offer,
                    name,
                    self._open[name].conversation,
                    event.agent,
                    event.expire_time.ToDatetime(UTC),
                )
            case OfferAccepted():
                self.offers.pop(event.offer, None)
            case OfferDeclined() | OfferTimedOut():
                self.offers.pop(event.offer, None)
                contact = self._open[name]
                contact.declined_by |= {event.agent}
                self._waiting.add(name)
            case ContactLeft() | ContactCompleted():
                self._forget(name)

    def _forget(self, name: str) -> None:
        self._open.pop(name, None)
        self._waiting.discard(name)
        for offer in [one for one in self.offers.values() if one.contact == name]:
            del self.offers[offer.offer]

    def waiting(self, queue: str | None = None) -> list[Waiting]:
        """Give who waits, in the order in which they are served."""
        found = [
            Waiting(name, contact.queue, contact.priority, contact.since, contact.declined_by)
            for name, contact in self._open.items()
            if name in self._waiting and queue in (None, contact.queue)
        ]
        return sorted(found, key=lambda one: (-one.priority, one.since, one.contact))

    def place(self, contact: str) -> int:
        """Give a contact's place in its queue from 1, 0 when it does not wait."""
        if contact not in self._waiting:
            return 0
        names = [one.contact for one in self.waiting(self._open[contact].queue)]
        return names.index(contact) + 1

    def idle(self) -> list[Idle]:
        return [
            Idle(name, agent.queues, agent.idle_since)
            for name, agent in self._agents.items()
            if agent.availability is agents.Availability.AVAILABLE
            and agent.activity is agents.Activity.IDLE
            and agent.idle_since is not None
        ]

    def choices(self) -> list[Choice]:
        return choose(self.waiting(), self.idle())

    def details(self, contact: str) -> Waiting | None:
        """Give what is known of an open contact."""
        known = self._open.get(contact)
        if known is None:
            return None
        return Waiting(contact, known.queue, known.priority, known.since, known.declined_by)

    def is_open(self, contact: str) -> bool:
        return contact in self._open

    def offer_to(self, agent: str) -> OpenOffer | None:
        return next((one for one in self.offers.values() if one.agent == agent), None)

    def work_of(self, agent: str) -> str | None:
        """Give the contact that an agent works."""
        known = self._agents.get(agent)
        if known is None or known.activity is not agents.Activity.BUSY:
            return None
        return known.contact

    def contact_of(self, conversation: str) -> str | None:
        """Give the contact of a conversation that is not over."""
        return next(
            (name for name, one in self._open.items() if one.conversation == conversation), None
        )

    def offer_timeout(self, queue: str) -> timedelta:
        return self.queues[queue].offer_timeout

    def overdue(self, now: datetime) -> Iterable[OpenOffer]:
        return [one for one in self.offers.values() if one.until <= now]

    def next_deadline(self) -> datetime | None:
        """Give the time at which the first open offer lapses."""
        return min((one.until for one in self.offers.values()), default=None)
