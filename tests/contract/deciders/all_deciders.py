"""Every decider of the platform and the events that it folds."""

from typing import Any, Final, NamedTuple, get_args

from careline.identity.events.v1.events_pb2 import AgentNameClaimed
from careline.routing.events.v1.events_pb2 import QueueCreated
from conversations.domain import conversation
from eventstore.decider import Decider
from federation.domain import contract
from google.protobuf.message import Message
from identity.domain import (
    agent,
    agent_name,
    patient_verification,
    service_account,
    session,
    verification,
)
from patient_context.domain import patient
from routing.domain import deciders
from routing.domain.agent import AgentEvent
from routing.domain.contact import ContactEvent


class Folded(NamedTuple):
    """A decider of a service's log, and the classes of its events."""

    service: str
    decider: Decider[Any, Any]
    events: tuple[type[Message], ...]

    @property
    def name(self) -> str:
        return f"{self.service}.{type(self.decider.initial).__name__}"


ALL: Final = (
    *(
        Folded("identity", module.DECIDER, get_args(module.Event))
        for module in (agent, patient_verification, service_account, session, verification)
    ),
    Folded("identity", agent_name.DECIDER, (AgentNameClaimed,)),
    Folded("conversations", conversation.DECIDER, get_args(conversation.Event)),
    Folded("routing", deciders.AGENT, get_args(AgentEvent)),
    Folded("routing", deciders.CONTACT, get_args(ContactEvent)),
    Folded("routing", deciders.QUEUE, (QueueCreated,)),
    Folded("patient_context", patient.PATIENT, get_args(patient.Event)),
    Folded("federation", contract.CONTRACT, get_args(contract.ContractEvent)),
)
