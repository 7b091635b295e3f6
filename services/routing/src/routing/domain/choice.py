"""Who is asked to take what: deterministic, and able to explain itself.

Contacts: highest priority first, then the longest waiting. Agents: the longest idle first.
(Connect's order: "priority beats age"; its agents by time in Available.)
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class Waiting:
    """A contact that waits; `declined_by` were asked and did not take it."""

    contact: str
    queue: str
    priority: int
    since: datetime
    declined_by: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Idle:
    """An agent who can be asked."""

    agent: str
    queues: frozenset[str]
    since: datetime


@dataclass(frozen=True, slots=True)
class Choice:
    """One agent for one contact, and why."""

    contact: Waiting
    agent: Idle
    explanation: str


def choose(waiting: Iterable[Waiting], idle: Iterable[Idle]) -> list[Choice]:
    """Pair waiting contacts with idle agents, each at most once.

    An agent who declined a contact is asked for it again only when nobody else is left.
    """
    free = sorted(idle, key=lambda one: (one.since, one.agent))
    choices = []
    for contact in sorted(waiting, key=lambda one: (-one.priority, one.since, one.contact)):
        able = [agent for agent in free if contact.queue in agent.queues]
        fresh = [agent for agent in able if agent.agent not in contact.declined_by]
        if not able:
            continue
        agent = (fresh or able)[0]
        free.remove(agent)
        choices.append(Choice(contact, agent, _explanation(contact, agent, len(able))))
    return choices


def _explanation(contact: Waiting, agent: Idle, able: int) -> str:
    return (
        f"priority {contact.priority}, waiting since {contact.since:%H:%M:%S}; "
        f"longest idle of {able} able, since {agent.since:%H:%M:%S}"
    )
