"""The deciders of routing's aggregates."""

from typing import Final

from careline.routing.events.v1.events_pb2 import QueueCreated
from eventstore.decider import Decider

from routing.domain import agent, contact, queue
from routing.domain.agent import Agent, AgentEvent
from routing.domain.contact import Contact, ContactEvent
from routing.domain.queue import Queue

AGENT: Final[Decider[Agent, AgentEvent]] = Decider(Agent(), agent.evolve)
CONTACT: Final[Decider[Contact, ContactEvent]] = Decider(Contact(), contact.evolve)
QUEUE: Final[Decider[Queue, QueueCreated]] = Decider(Queue(), queue.evolve)
