"""A name to sign in with, which one agent of a tenant can have."""

from dataclasses import dataclass, replace
from typing import Final

from careline.identity.events.v1 import events_pb2 as events
from eventstore.decider import Decider, Rejected


@dataclass(frozen=True, slots=True)
class AgentName:
    """Whose it is, "agents/<id>"; empty while nobody's."""

    agent: str = ""


def evolve(name: AgentName, event: events.AgentNameClaimed) -> AgentName:
    return replace(name, agent=event.agent)


DECIDER: Final[Decider[AgentName, events.AgentNameClaimed]] = Decider(AgentName(), evolve)


def claim(name: AgentName, agent: str) -> list[events.AgentNameClaimed]:
    if name.agent:
        raise Rejected("NAME_TAKEN")
    return [events.AgentNameClaimed(agent=agent)]


def normal(user_name: str) -> str:
    """Return the form in which two user names are the same one."""
    return user_name.strip().casefold()
