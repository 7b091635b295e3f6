"""The control token: who may speak for the patient line, one holder at a time."""

from enum import StrEnum
from typing import Final

from careline.conversations.events.v1.events_pb2 import ControlPassed
from eventstore.decider import Rejected
from google.protobuf.timestamp_pb2 import Timestamp

from conversations.domain.conversation import Conversation, Event, HolderKind, Status
from conversations.domain.limits import has_room, require_open

_START: Final = "START"
_OFFER_ACCEPTED: Final = "OFFER_ACCEPTED"


class PassReason(StrEnum):
    """Why a holder gives control up."""

    HANDOFF = "HANDOFF"
    TRANSFER = "TRANSFER"


def give_first(state: Conversation, *, frontend: str, at: Timestamp) -> list[Event]:
    """Let the bot of the frontend that starts the conversation speak first."""
    return [_pass(state, HolderKind.BOT, frontend, _START, at)]


def pass_to_queue(
    state: Conversation, *, by: str, reason: PassReason, at: Timestamp
) -> list[Event]:
    """Give control up; the person waits, and nobody speaks, until an agent accepts."""
    require_open(state, 1)
    if state.control.holder_kind is HolderKind.QUEUE or state.control.holder != by:
        raise not_held(state)
    return [_pass(state, HolderKind.QUEUE, "", reason, at)]


def take_by_offer(state: Conversation, *, agent: str, at: Timestamp) -> list[Event]:
    """Give control to the agent who accepted routing's offer, whoever held it.

    Nothing happens when he holds it already, or when there is nothing to take any more: the
    conversation is wrapped up, over, full, or none at all.
    """
    if state.status is not Status.OPEN or not has_room(state, 1):
        return []
    if _holds(state, HolderKind.AGENT, agent):
        return []
    return [_pass(state, HolderKind.AGENT, agent, _OFFER_ACCEPTED, at)]


def require_control(state: Conversation, kind: HolderKind, holder: str) -> None:
    """Refuse unless this very principal holds control, as this kind of holder."""
    if not _holds(state, kind, holder):
        raise not_held(state)


def not_held(state: Conversation) -> Rejected:
    """Make the refusal, which tells who holds control by kind and epoch."""
    return Rejected(
        "CONTROL_NOT_HELD",
        holder_kind=state.control.holder_kind,
        epoch=str(state.control.epoch),
    )


def _holds(state: Conversation, kind: HolderKind, holder: str) -> bool:
    return state.control.holder_kind is kind and state.control.holder == holder


def _pass(
    state: Conversation, kind: HolderKind, holder: str, reason: str, at: Timestamp
) -> ControlPassed:
    return ControlPassed(
        holder_kind=kind,
        holder=holder,
        epoch=state.control.epoch + 1,
        reason=reason,
        pass_time=at,
    )
