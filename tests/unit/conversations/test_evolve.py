"""Every event has its case, and none is read for what is PII or PHI."""

import ast
from copy import deepcopy
from inspect import getsource
from typing import get_args

import pytest
from careline.conversations.events.v1 import events_pb2
from conversations.domain import conversation
from conversations.domain.conversation import DECIDER, Channel, Conversation, Event
from google.protobuf.descriptor import Descriptor
from google.protobuf.message import Message
from sealing.sensitivity import check_event, events_among, paths_of
from unit.conversations.given import (
    AGENT,
    AT,
    VOICE_FRONTEND,
    accepted,
    agent_wrote,
    closed,
    joined,
    leg_answered,
    leg_started,
    queued,
    started,
    wrapped_up,
)
from unit.conversations.test_call_leg import ended, keys_pressed, line
from unit.conversations.test_patient import linked

KINDS: tuple[type[Message], ...] = get_args(Event)


def descriptor_of(kind: type[Message]) -> Descriptor:
    found = kind.DESCRIPTOR
    assert isinstance(found, Descriptor)
    return found


def test_every_event_of_the_proto_has_its_case() -> None:
    declared = events_among(events_pb2.DESCRIPTOR.message_types_by_name.values())

    assert {kind.DESCRIPTOR for kind in KINDS} == set(declared)


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.DESCRIPTOR.name)
def test_every_event_can_be_sealed(kind: type[Message]) -> None:
    assert check_event(descriptor_of(kind)) == []


def test_no_sensitive_field_is_read_where_states_are_made() -> None:
    sensitive = {path for kind in KINDS for path in paths_of(descriptor_of(kind))}
    read = {
        node.attr
        for node in ast.walk(ast.parse(getsource(conversation)))
        if isinstance(node, ast.Attribute)
    }

    assert sensitive == {"address", "text", "keys", "notes"}
    assert not read & sensitive


def a_whole_life() -> list[Event]:
    """One event of each kind at least, as the commands make them."""
    commands = (
        started(Channel.VOICE),
        joined(Channel.SMS),
        leg_started(),
        leg_answered(),
        keys_pressed(),
        line(),
        ended(),
        linked(),
        queued(VOICE_FRONTEND),
        accepted(),
        agent_wrote(channel=Channel.SMS),
        wrapped_up(),
        closed(AGENT),
    )
    state = Conversation()
    events: list[Event] = []
    for command in commands:
        new = command(state)
        events += new
        state = DECIDER.fold(state, new)
    events.insert(
        -1,
        events_pb2.DeliveryReported(delivery="deliveries/agent", status="SENT", report_time=AT),
    )
    return events


def without_sensitive_fields(event: Event) -> Event:
    public = deepcopy(event)
    cleared: Message = public
    for path in paths_of(descriptor_of(type(event))):
        cleared.ClearField(path)
    return public


def test_an_erased_conversation_replays_to_the_same_state() -> None:
    life = a_whole_life()

    assert {type(event) for event in life} == set(KINDS)
    erased = [without_sensitive_fields(event) for event in life]
    assert erased != life
    assert DECIDER.fold(DECIDER.initial, erased) == DECIDER.fold(DECIDER.initial, life)
