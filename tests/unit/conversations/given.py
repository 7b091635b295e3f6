"""Conversations as tests need them, made by the commands themselves."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TypeAlias

import pytest
from conversations.domain import call_leg, control, lifecycle, message
from conversations.domain.conversation import (
    DECIDER,
    Channel,
    Conversation,
    Event,
    HolderKind,
)
from eventstore.decider import Rejected
from google.protobuf.timestamp_pb2 import Timestamp

SMS_FRONTEND = "serviceAccounts/0197aaaa-0000-7000-8000-000000000001"
CHAT_FRONTEND = "serviceAccounts/0197aaaa-0000-7000-8000-000000000002"
VOICE_FRONTEND = "serviceAccounts/0197aaaa-0000-7000-8000-000000000003"
AGENT = "agents/0197bbbb-0000-7000-8000-000000000001"
OTHER_AGENT = "agents/0197bbbb-0000-7000-8000-000000000002"
PATIENT = "patients/0197cccc-0000-7000-8000-000000000001"
OTHER_PATIENT = "patients/0197cccc-0000-7000-8000-000000000002"
PHONE = "+16175550123"
TEXT = "When is my next appointment?"
FRONTEND_OF = {
    Channel.VOICE: VOICE_FRONTEND,
    Channel.SMS: SMS_FRONTEND,
    Channel.CHAT: CHAT_FRONTEND,
}
Command: TypeAlias = Callable[[Conversation], Sequence[Event]]


def moment(seconds: int = 0) -> Timestamp:
    stamp = Timestamp()
    stamp.FromDatetime(datetime(2025, 3, 1, 9, tzinfo=UTC) + timedelta(seconds=seconds))
    return stamp


AT = moment()


def after(*commands: Command, state: Conversation | None = None) -> Conversation:
    """Give the conversation that these commands, one after the other, lead to."""
    reached = DECIDER.initial if state is None else state
    for command in commands:
        reached = DECIDER.fold(reached, command(reached))
    return reached


def refusal(command: Callable[[Conversation], object], state: Conversation) -> Rejected:
    with pytest.raises(Rejected) as refused:
        command(state)
    return refused.value


def started(channel: Channel = Channel.SMS) -> Command:
    return lambda state: lifecycle.start(
        state,
        channel=channel,
        frontend=FRONTEND_OF[channel],
        served_channels=(channel,),
        address=PHONE,
        at=AT,
    )


def joined(channel: Channel, frontend: str = "") -> Command:
    return lambda state: lifecycle.join(
        state,
        channel=channel,
        frontend=frontend or FRONTEND_OF[channel],
        address="chat-1",
        at=AT,
    )


def queued(by: str = SMS_FRONTEND) -> Command:
    return lambda state: control.pass_to_queue(
        state, by=by, reason=control.PassReason.HANDOFF, at=AT
    )


def accepted(agent: str = AGENT) -> Command:
    return lambda state: control.take_by_offer(state, agent=agent, at=AT)


def patient_wrote(
    name: str = "messages/in", channel: Channel | None = Channel.SMS, frontend: str = SMS_FRONTEND
) -> Command:
    return lambda state: message.take_in(
        state, message=name, frontend=frontend, channel=channel, text=TEXT, at=AT
    )


def bot_wrote(
    name: str = "messages/bot",
    delivery: str = "deliveries/bot",
    frontend: str = SMS_FRONTEND,
    channel: Channel | None = None,
) -> Command:
    return lambda state: message.send_as_bot(
        state,
        message=name,
        delivery=delivery,
        frontend=frontend,
        channel=channel,
        text=TEXT,
        at=AT,
    )


def agent_wrote(
    name: str = "messages/agent",
    delivery: str = "deliveries/agent",
    agent: str = AGENT,
    channel: Channel | None = None,
) -> Command:
    return lambda state: message.send_as_agent(
        state, message=name, delivery=delivery, agent=agent, channel=channel, text=TEXT, at=AT
    )


def wrapped_up(agent: str = AGENT, disposition: str = "NO_ACTION") -> Command:
    return lambda state: lifecycle.wrap_up(
        state, disposition=disposition, notes=TEXT, agent=agent, at=AT
    )


def closed(
    by: str = SMS_FRONTEND,
    reason: lifecycle.CloseReason = lifecycle.CloseReason.RESOLVED,
) -> Command:
    return lambda state: lifecycle.close(state, by=by, reason=reason, at=AT)


def leg_started(leg: str = "legs/1", frontend: str = VOICE_FRONTEND) -> Command:
    return lambda state: call_leg.start(
        state, leg=leg, frontend=frontend, address=PHONE, outbound=False, at=AT
    )


def leg_answered(leg: str = "legs/1", frontend: str = VOICE_FRONTEND) -> Command:
    return lambda state: call_leg.answer(state, leg=leg, frontend=frontend, at=AT)


def with_agent(channel: Channel = Channel.SMS) -> Conversation:
    return after(started(channel), queued(FRONTEND_OF[channel]), accepted())


def full(state: Conversation) -> Conversation:
    """The same conversation with no room for another event."""
    return replace(state, committed=9_998)


def holder(state: Conversation) -> tuple[HolderKind, str, int]:
    return state.control.holder_kind, state.control.holder, state.control.epoch
