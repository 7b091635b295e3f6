"""Call legs, each with a state of its own, and what is said and pressed on them."""

from enum import StrEnum
from typing import Final

from careline.conversations.events.v1.events_pb2 import (
    CallLegAnswered,
    CallLegEnded,
    CallLegStarted,
    KeyPressRecorded,
    TranscriptAppended,
)
from eventstore.decider import Rejected
from google.protobuf.duration_pb2 import Duration
from google.protobuf.timestamp_pb2 import Timestamp

from conversations.domain.control import not_held, require_control
from conversations.domain.conversation import (
    EVENTS_OF_LEG,
    AuthorKind,
    Channel,
    Conversation,
    Event,
    HolderKind,
    LegState,
)
from conversations.domain.limits import require_open

MOST_LEGS_AT_ONCE: Final = 6
"""Amazon Connect joins as many parties."""


class EndReason(StrEnum):
    """Why a leg is over, in Amazon Connect's words."""

    CUSTOMER_DISCONNECT = "CUSTOMER_DISCONNECT"
    AGENT_DISCONNECT = "AGENT_DISCONNECT"
    CONTACT_FLOW_DISCONNECT = "CONTACT_FLOW_DISCONNECT"
    TELECOM_PROBLEM = "TELECOM_PROBLEM"
    OTHER = "OTHER"


def start(
    state: Conversation, *, leg: str, frontend: str, address: str, outbound: bool, at: Timestamp
) -> list[Event]:
    require_open(state, EVENTS_OF_LEG)
    require_voice(state, frontend)
    if len(legs_under_way(state)) >= MOST_LEGS_AT_ONCE:
        raise Rejected("CALL_LEG_STATE", most=str(MOST_LEGS_AT_ONCE))
    direction = "OUTBOUND" if outbound else "INBOUND"
    return [CallLegStarted(leg=leg, direction=direction, address=address, start_time=at)]


def answer(state: Conversation, *, leg: str, frontend: str, at: Timestamp) -> list[Event]:
    require_open(state)
    require_voice(state, frontend)
    if state.legs.get(leg) is LegState.ANSWERED:
        return []
    _require_leg(state, leg, LegState.RINGING)
    return [CallLegAnswered(leg=leg, answer_time=at)]


def record_keys(
    state: Conversation, *, leg: str, frontend: str, keys: str, at: Timestamp
) -> list[Event]:
    require_open(state, 1)
    require_voice(state, frontend)
    _require_leg(state, leg, LegState.ANSWERED)
    return [KeyPressRecorded(leg=leg, keys=keys, press_time=at)]


def append_line(
    state: Conversation,
    *,
    leg: str,
    message: str,
    by: str,
    speaker: AuthorKind,
    text: str,
    start_offset: Duration,
    at: Timestamp,
) -> list[Event]:
    """Take a line of transcript; a bot's or an agent's only while he holds control."""
    require_open(state, 1)
    _require_speaker(state, by, speaker)
    _require_leg(state, leg, LegState.ANSWERED)
    line = TranscriptAppended(
        leg=leg,
        speaker_kind=speaker,
        text=text,
        start_offset=start_offset,
        message=message,
        append_time=at,
    )
    return [line]


def end(
    state: Conversation, *, leg: str, frontend: str, reason: EndReason, at: Timestamp
) -> list[Event]:
    """End a leg, also of a conversation that is wrapped up."""
    require_voice(state, frontend)
    if state.legs.get(leg) is LegState.ENDED:
        return []
    _require_leg(state, leg, LegState.RINGING, LegState.ANSWERED)
    return [CallLegEnded(leg=leg, reason=reason, end_time=at)]


def end_all(state: Conversation, at: Timestamp) -> list[Event]:
    """End what still rings or talks, as the conversation itself ends."""
    reason = EndReason.CONTACT_FLOW_DISCONNECT
    return [CallLegEnded(leg=leg, reason=reason, end_time=at) for leg in legs_under_way(state)]


def legs_under_way(state: Conversation) -> list[str]:
    return [leg for leg, became in state.legs.items() if became is not LegState.ENDED]


def require_voice(state: Conversation, frontend: str) -> None:
    """Refuse unless this frontend serves the conversation's calls."""
    if state.frontend_of(Channel.VOICE) != frontend:
        raise Rejected("CHANNEL_NOT_JOINED")


def _require_speaker(state: Conversation, by: str, speaker: AuthorKind) -> None:
    """Refuse lines of who does not speak now.

    An agent's line comes from his own desk, or from the frontend that hears him.
    """
    match speaker:
        case AuthorKind.PATIENT:
            require_voice(state, by)
        case AuthorKind.BOT:
            require_control(state, HolderKind.BOT, by)
            require_voice(state, by)
        case AuthorKind.AGENT if state.frontend_of(Channel.VOICE) == by:
            if state.control.holder_kind is not HolderKind.AGENT:
                raise not_held(state)
        case AuthorKind.AGENT:
            require_control(state, HolderKind.AGENT, by)


def _require_leg(state: Conversation, leg: str, *allowed: LegState) -> None:
    became = state.legs.get(leg)
    if became not in allowed:
        raise Rejected("CALL_LEG_STATE", state=became or "absent")
