"""States are made without reading PII or PHI, so that replay works without keys."""

from collections.abc import Callable
from typing import Any, get_args

import pytest
from careline.identity.events.v1 import events_pb2 as events
from careline.options.v1 import options_pb2 as options
from eventstore.decider import Decider
from google.protobuf.descriptor import FieldDescriptor
from google.protobuf.message import Message
from identity.domain import (
    agent,
    agent_name,
    patient_verification,
    service_account,
    session,
    verification,
)

SENSITIVE = (options.SENSITIVITY_PII, options.SENSITIVITY_PHI, options.SENSITIVITY_SECRET)
FILLED = {"factor": "TOTP", "level": "MATCHED", "reason": "OTHER"}
CASES = [
    (decider, kind)
    for module in (agent, patient_verification, service_account, session, verification)
    for decider in [module.DECIDER]
    for kind in get_args(module.Event)
]
CASES.append((agent_name.DECIDER, events.AgentNameClaimed))


def filled(kind: Callable[[], Message], *, sensitive: bool) -> Message:
    message = kind()
    for field in message.DESCRIPTOR.fields:
        if field.type != FieldDescriptor.TYPE_STRING:
            continue
        is_sensitive = field.GetOptions().Extensions[options.sensitivity] in SENSITIVE
        if is_sensitive and not sensitive:
            continue
        value = FILLED.get(field.name, "agents/x")
        if field.is_repeated:
            getattr(message, field.name).append(value)
        else:
            setattr(message, field.name, value)
    return message


@pytest.mark.parametrize(("decider", "kind"), CASES)
def test_an_event_makes_the_same_state_with_its_sensitive_fields_closed(
    decider: Decider[Any, Any], kind: type[Message]
) -> None:
    whole = decider.evolve(decider.initial, filled(kind, sensitive=True))
    closed = decider.evolve(decider.initial, filled(kind, sensitive=False))

    assert whole == closed


def test_the_test_closes_something() -> None:
    whole = filled(events.AgentCreated, sensitive=True)

    assert whole != filled(events.AgentCreated, sensitive=False)
