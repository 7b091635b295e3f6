"""One contact: a conversation's way through a queue to an agent."""

from dataclasses import dataclass, replace
from datetime import UTC, datetime
from enum import StrEnum
from typing import Final, TypeAlias

from careline.routing.events.v1.events_pb2 import (
    ContactCompleted,
    ContactEnqueued,
    ContactLeft,
    ContactOffered,
    OfferAccepted,
    OfferDeclined,
    OfferTimedOut,
)
from eventstore.decider import Rejected
from google.protobuf.timestamp_pb2 import Timestamp

HIGHEST_PRIORITY: Final = 9


class ContactState(StrEnum):
    NEW = "new"
    QUEUED = "queued"
    OFFERED = "offered"
    ASSIGNED = "assigned"
    COMPLETED = "completed"
    LEFT = "left"


@dataclass(frozen=True, slots=True)
class Contact:
    """What the next decision needs to know."""

    state: ContactState = ContactState.NEW
    conversation: str = ""
    queue: str = ""
    priority: int = 0
    since: datetime | None = None
    offer: str = ""
    agent: str = ""
    explanation: str = ""


ContactEvent: TypeAlias = (
    ContactEnqueued
    | ContactOffered
    | OfferAccepted
    | OfferDeclined
    | OfferTimedOut
    | ContactLeft
    | ContactCompleted
)


def evolve(contact: Contact, event: ContactEvent) -> Contact:
    match event:
        case ContactEnqueued():
            return replace(
                contact,
                state=ContactState.QUEUED,
                conversation=event.conversation,
                queue=event.queue,
                priority=event.priority,
                since=event.enqueue_time.ToDatetime(UTC),
            )
        case ContactOffered():
            return replace(
                contact,
                state=ContactState.OFFERED,
                offer=event.offer,
                agent=event.agent,
                explanation=event.explanation,
            )
        case OfferAccepted():
            return replace(contact, state=ContactState.ASSIGNED)
        case OfferDeclined() | OfferTimedOut():
            return replace(contact, state=ContactState.QUEUED, offer="", agent="")
        case ContactLeft():
            return replace(contact, state=ContactState.LEFT, offer="", agent="")
        case ContactCompleted():
            return replace(contact, state=ContactState.COMPLETED)


def enqueue(
    contact: Contact, *, conversation: str, queue: str, priority: int, at: Timestamp
) -> list[ContactEvent]:
    """Put it into a queue; it keeps this place until an agent takes it or it leaves."""
    _require(contact, ContactState.NEW)
    return [
        ContactEnqueued(conversation=conversation, queue=queue, priority=priority, enqueue_time=at)
    ]


def offer(
    contact: Contact, *, offer: str, agent: str, until: Timestamp, explanation: str, at: Timestamp
) -> list[ContactEvent]:
    _require(contact, ContactState.QUEUED)
    return [
        ContactOffered(
            offer=offer, agent=agent, expire_time=until, explanation=explanation, offer_time=at
        )
    ]


def accept(contact: Contact, *, offer: str, agent: str, at: Timestamp) -> list[ContactEvent]:
    """Take the offer; the same agent's second word is the same word."""
    if contact.state is ContactState.ASSIGNED and _is_offered(contact, offer, agent):
        return []
    _require_offer(contact, offer, agent)
    return [
        OfferAccepted(offer=offer, agent=agent, conversation=contact.conversation, accept_time=at)
    ]


def decline(contact: Contact, *, offer: str, agent: str, at: Timestamp) -> list[ContactEvent]:
    _require_offer(contact, offer, agent)
    return [OfferDeclined(offer=offer, agent=agent, decline_time=at)]


def time_out(contact: Contact, *, offer: str, at: Timestamp) -> list[ContactEvent]:
    """Withdraw an offer that nobody answered; too late for one that somebody did."""
    if contact.state is not ContactState.OFFERED or contact.offer != offer:
        return []
    return [OfferTimedOut(offer=offer, agent=contact.agent, time_out_time=at)]


def leave(contact: Contact, *, offer: str, reason: str, at: Timestamp) -> list[ContactEvent]:
    """Take it out of the queue without an agent. `offer` is what is rescinded with it, if any."""
    if contact.state is ContactState.LEFT:
        return []
    _require(contact, ContactState.QUEUED, ContactState.OFFERED)
    _require_seen(contact, offer)
    return [ContactLeft(reason=reason, leave_time=at)]


def complete(contact: Contact, *, offer: str, agent: str, at: Timestamp) -> list[ContactEvent]:
    """Be done with it, after-contact work included. `offer` is what led to it."""
    if contact.agent != agent:
        raise Rejected("DENIED_OR_ABSENT")
    if contact.state is ContactState.COMPLETED:
        return []
    _require(contact, ContactState.ASSIGNED)
    _require_seen(contact, offer)
    return [ContactCompleted(agent=agent, complete_time=at)]


def _require(contact: Contact, *allowed: ContactState) -> None:
    if contact.state not in allowed:
        raise Rejected("CONTACT_STATE", state=contact.state)


def _require_seen(contact: Contact, offer: str) -> None:
    """Refuse what was meant for an earlier offer: another agent is to be released than was seen."""
    if contact.offer != offer:
        raise Rejected("CONFLICT")


def _require_offer(contact: Contact, offer: str, agent: str) -> None:
    if contact.state is not ContactState.OFFERED or not _is_offered(contact, offer, agent):
        raise Rejected("OFFER_GONE")


def _is_offered(contact: Contact, offer: str, agent: str) -> bool:
    return contact.offer == offer and contact.agent == agent
