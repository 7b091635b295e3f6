"""A conversation's start, the channels that join it, its wrap-up and its end."""

from collections.abc import Collection
from enum import StrEnum

from careline.conversations.events.v1.events_pb2 import (
    ChannelJoined,
    ConversationClosed,
    ConversationStarted,
    ConversationWrappedUp,
)
from eventstore.decider import Rejected
from google.protobuf.timestamp_pb2 import Timestamp

from conversations.domain.call_leg import end_all
from conversations.domain.control import give_first, not_held, require_control
from conversations.domain.conversation import Channel, Conversation, Event, HolderKind, Status
from conversations.domain.limits import require_open


class Disposition(StrEnum):
    """What came of a conversation."""

    APPOINTMENT_ANSWERED = "APPOINTMENT_ANSWERED"
    APPOINTMENT_BOOKED = "APPOINTMENT_BOOKED"
    REFILL_REQUESTED = "REFILL_REQUESTED"
    BILLING_ANSWERED = "BILLING_ANSWERED"
    MESSAGE_TAKEN = "MESSAGE_TAKEN"
    REFERRED = "REFERRED"
    NO_ACTION = "NO_ACTION"


class CloseReason(StrEnum):
    """Why a conversation is over."""

    RESOLVED = "RESOLVED"
    ABANDONED = "ABANDONED"
    REFUSED = "REFUSED"
    TRANSFERRED = "TRANSFERRED"


def start(
    state: Conversation,
    *,
    channel: Channel,
    frontend: str,
    served_channels: Collection[Channel],
    address: str,
    at: Timestamp,
) -> list[Event]:
    """Start it on a channel of the frontend, whose bot holds control first."""
    if state.status is not Status.NEW:
        raise Rejected("CONVERSATION_STATE", state=state.status)
    started = ConversationStarted(
        channel=channel,
        frontend=frontend,
        address=address,
        start_time=at,
        served_channels=sorted(served_channels),
    )
    return [started, *give_first(state, frontend=frontend, at=at)]


def join(
    state: Conversation, *, channel: Channel, frontend: str, address: str, at: Timestamp
) -> list[Event]:
    """Go on over a channel; by the frontend that has it here already, at another address.

    A channel stays with the frontend that brought it: another one would read along.
    """
    require_open(state, 1)
    if state.frontend_of(channel) not in ("", frontend):
        raise Rejected("CONVERSATION_STATE", channel="joined")
    return [ChannelJoined(channel=channel, frontend=frontend, address=address, join_time=at)]


def wrap_up(
    state: Conversation, *, disposition: str, notes: str, agent: str, at: Timestamp
) -> list[Event]:
    """Put down what came of it; the agent in control does."""
    require_open(state)
    require_control(state, HolderKind.AGENT, agent)
    if disposition not in Disposition.__members__:
        raise Rejected("DISPOSITION_UNKNOWN")
    wrapped_up = ConversationWrappedUp(
        disposition=disposition, notes=notes, agent=agent, wrap_up_time=at
    )
    return [wrapped_up]


def close(state: Conversation, *, by: str, reason: CloseReason, at: Timestamp) -> list[Event]:
    """End it, and with it the legs still under way.

    An agent who holds control ends it, once he has wrapped up; before an agent came, the bot that
    holds control does, or a frontend whose person did not wait.
    """
    if state.status is Status.CLOSED and state.close_reason == reason:
        return []
    if state.status not in (Status.OPEN, Status.WRAPPED_UP):
        raise Rejected("CONVERSATION_STATE", state=state.status)
    _require_ending(state, by)
    return [*end_all(state, at), ConversationClosed(reason=reason, close_time=at)]


def _require_ending(state: Conversation, by: str) -> None:
    match state.control.holder_kind:
        case HolderKind.BOT:
            require_control(state, HolderKind.BOT, by)
        case HolderKind.QUEUE:
            if not state.is_served_by(by):
                raise not_held(state)
        case HolderKind.AGENT:
            require_control(state, HolderKind.AGENT, by)
            if state.status is not Status.WRAPPED_UP:
                raise Rejected("CONVERSATION_STATE", state=state.status)
