"""Decides on a contact and on the agent who is asked to take it: both change, or neither.

Two separate appends could leave an agent asked for a contact that another one has.
"""

from collections.abc import Callable, Sequence
from typing import TypeAlias

from eventstore.execute import Request
from eventstore.joint import Joint, JointExecutor, Jointly, Part
from eventstore.stream_id import StreamId

from routing.domain.agent import Agent, AgentEvent
from routing.domain.contact import Contact, ContactEvent
from routing.domain.deciders import AGENT, CONTACT

OnContact: TypeAlias = Callable[[Contact], Sequence[ContactEvent]]
OnAgent: TypeAlias = Callable[[Agent], Sequence[AgentEvent]]
Decided: TypeAlias = Jointly[Contact, ContactEvent, Agent]


async def decide_on_both(
    joint: JointExecutor,
    request: Request,
    contact: tuple[StreamId, OnContact],
    agent: tuple[StreamId, OnAgent],
) -> Decided:
    """Apply both commands; the agent's only if something happens to the contact.

    Raises what `JointExecutor.execute` raises.
    """
    (contact_stream, on_contact), (agent_stream, on_agent) = contact, agent

    def command(state: Contact, agents: Sequence[Agent]) -> Joint[ContactEvent, AgentEvent]:
        happened = on_contact(state)
        return Joint(happened, [on_agent(agents[0]) if happened else ()])

    return await joint.execute(
        request, Part(contact_stream, CONTACT), [Part(agent_stream, AGENT)], command
    )
