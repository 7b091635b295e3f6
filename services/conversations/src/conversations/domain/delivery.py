"""What becomes of a message that a frontend is to send out."""

from enum import StrEnum
from typing import Final

from careline.conversations.events.v1.events_pb2 import DeliveryReported
from eventstore.decider import Rejected
from google.protobuf.timestamp_pb2 import Timestamp

from conversations.domain.conversation import Conversation, DeliveryStatus, Event

_LATER: Final = {
    DeliveryStatus.QUEUED: {DeliveryStatus.SENT, DeliveryStatus.DELIVERED, DeliveryStatus.FAILED},
    DeliveryStatus.SENT: {DeliveryStatus.DELIVERED, DeliveryStatus.FAILED},
    DeliveryStatus.DELIVERED: frozenset[DeliveryStatus](),
    DeliveryStatus.FAILED: frozenset[DeliveryStatus](),
}


class FailureCode(StrEnum):
    """Why a message will not arrive."""

    UNREACHABLE = "UNREACHABLE"
    REJECTED = "REJECTED"
    OPTED_OUT = "OPTED_OUT"
    EXPIRED = "EXPIRED"
    OTHER = "OTHER"


def report(
    state: Conversation,
    *,
    delivery: str,
    frontend: str,
    status: DeliveryStatus,
    failure_code: FailureCode | None,
    at: Timestamp,
) -> list[Event]:
    """Note what its frontend tells, also after the conversation has closed.

    Networks tell late and twice: what is known already, or was overtaken, changes nothing.
    """
    known = state.deliveries.get(delivery)
    if known is None or known.frontend != frontend:
        raise Rejected("DENIED_OR_ABSENT")
    return _report(known.status, delivery, status, failure_code, at)


def expire(state: Conversation, *, delivery: str, at: Timestamp) -> list[Event]:
    """Give up a message that its frontend did not take in time; too late for one that it took."""
    known = state.deliveries.get(delivery)
    if known is None or known.status is not DeliveryStatus.QUEUED:
        return []
    return _report(known.status, delivery, DeliveryStatus.FAILED, FailureCode.EXPIRED, at)


def _report(
    known: DeliveryStatus,
    delivery: str,
    status: DeliveryStatus,
    failure_code: FailureCode | None,
    at: Timestamp,
) -> list[Event]:
    if status is known or known in _LATER[status]:
        return []
    if status not in _LATER[known]:
        raise Rejected("CONVERSATION_STATE", delivery=known)
    return [
        DeliveryReported(
            delivery=delivery, status=status, failure_code=failure_code or "", report_time=at
        )
    ]
