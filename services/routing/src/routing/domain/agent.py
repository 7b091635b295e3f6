"""One agent as routing sees him: whether he can be asked, and what he is busy with.

Availability and activity are two axes: an agent who works a contact stays AVAILABLE and is asked
again when he is done.
"""

from dataclasses import dataclass, replace
from datetime import UTC, datetime
from enum import StrEnum
from typing import TypeAlias

from careline.routing.events.v1.events_pb2 import (
    AgentAvailabilitySet,
    AgentEngaged,
    AgentReleased,
    AgentReserved,
)
from eventstore.decider import Rejected
from google.protobuf.timestamp_pb2 import Timestamp


class Availability(StrEnum):
    AVAILABLE = "AVAILABLE"
    AWAY = "AWAY"
    OFFLINE = "OFFLINE"


class Activity(StrEnum):
    IDLE = "idle"
    ASKED = "asked"
    BUSY = "busy"


@dataclass(frozen=True, slots=True)
class Agent:
    """What the next decision needs to know; `idle_since` orders who is asked first."""

    availability: Availability = Availability.OFFLINE
    activity: Activity = Activity.IDLE
    queues: frozenset[str] = frozenset()
    offer: str = ""
    contact: str = ""
    idle_since: datetime | None = None


AgentEvent: TypeAlias = AgentAvailabilitySet | AgentReserved | AgentEngaged | AgentReleased


def evolve(agent: Agent, event: AgentEvent) -> Agent:
    match event:
        case AgentAvailabilitySet():
            return replace(
                agent,
                availability=Availability(event.availability),
                queues=frozenset(event.queues),
                idle_since=_idle_since(agent, event),
            )
        case AgentReserved():
            return replace(agent, activity=Activity.ASKED, offer=event.offer, contact=event.contact)
        case AgentEngaged():
            return replace(agent, activity=Activity.BUSY, offer=event.offer, contact=event.contact)
        case AgentReleased():
            return replace(
                agent,
                activity=Activity.IDLE,
                offer="",
                contact="",
                idle_since=event.release_time.ToDatetime(UTC),
            )


def set_availability(
    agent: Agent, *, availability: Availability, queues: frozenset[str], at: Timestamp
) -> list[AgentEvent]:
    """Say whether he can be asked. Going offline leaves an open contact his."""
    if agent.availability is availability and agent.queues == queues:
        return []
    return [AgentAvailabilitySet(availability=availability, queues=sorted(queues), set_time=at)]


def reserve(agent: Agent, *, offer: str, contact: str, queue: str) -> list[AgentEvent]:
    """Ask him, and nothing else meanwhile."""
    if not can_be_asked(agent, queue):
        raise Rejected("AGENT_STATE", availability=agent.availability, activity=agent.activity)
    return [AgentReserved(offer=offer, contact=contact)]


def engage(agent: Agent, *, offer: str) -> list[AgentEvent]:
    """Have him work the contact that he was asked to take."""
    if agent.activity is Activity.BUSY and agent.offer == offer:
        return []
    if agent.activity is not Activity.ASKED or agent.offer != offer:
        raise Rejected("OFFER_GONE")
    return [AgentEngaged(offer=offer, contact=agent.contact)]


def release(agent: Agent, *, offer: str, reason: str, at: Timestamp) -> list[AgentEvent]:
    """Let him be asked again. One who missed an offer is away until he says otherwise.

    Who works the contact already is released by its completion alone: an answer beats the timer.
    """
    if agent.offer != offer or (agent.activity is Activity.BUSY) != (reason == "COMPLETED"):
        return []
    events: list[AgentEvent] = [AgentReleased(offer=offer, reason=reason, release_time=at)]
    if reason == "TIMED_OUT" and agent.availability is Availability.AVAILABLE:
        events.append(
            AgentAvailabilitySet(
                availability=Availability.AWAY, queues=sorted(agent.queues), set_time=at
            )
        )
    return events


def can_be_asked(agent: Agent, queue: str) -> bool:
    return (
        agent.availability is Availability.AVAILABLE
        and agent.activity is Activity.IDLE
        and queue in agent.queues
    )


def _idle_since(agent: Agent, event: AgentAvailabilitySet) -> datetime | None:
    """Idleness counts from becoming available, not from a change of queues meanwhile."""
    if agent.availability is Availability.AVAILABLE and agent.idle_since is not None:
        return agent.idle_since
    return event.set_time.ToDatetime(UTC)
