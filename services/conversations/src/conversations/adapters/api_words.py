"""Between the API's enums and the domain's words."""

from typing import Final

from careline.conversations.v1 import conversation_pb2 as pb2
from careline.conversations.v1.delivery_service_pb2 import AcknowledgeDeliveryRequest
from runtime.refusal import field_invalid

from conversations.domain.conversation import (
    AuthorKind,
    Channel,
    DeliveryStatus,
    HolderKind,
    Status,
)

_CHANNELS: Final = {
    pb2.CHANNEL_VOICE: Channel.VOICE,
    pb2.CHANNEL_SMS: Channel.SMS,
    pb2.CHANNEL_CHAT: Channel.CHAT,
}
_AUTHORS: Final = {
    pb2.AUTHOR_KIND_PATIENT: AuthorKind.PATIENT,
    pb2.AUTHOR_KIND_BOT: AuthorKind.BOT,
    pb2.AUTHOR_KIND_AGENT: AuthorKind.AGENT,
}
_REPORTED: Final = {
    AcknowledgeDeliveryRequest.STATUS_SENT: DeliveryStatus.SENT,
    AcknowledgeDeliveryRequest.STATUS_DELIVERED: DeliveryStatus.DELIVERED,
    AcknowledgeDeliveryRequest.STATUS_FAILED: DeliveryStatus.FAILED,
}
_STATUSES: Final = {
    pb2.Conversation.STATE_OPEN: Status.OPEN,
    pb2.Conversation.STATE_WRAPPED_UP: Status.WRAPPED_UP,
    pb2.Conversation.STATE_CLOSED: Status.CLOSED,
}
CHANNEL_OF: Final = {word: value for value, word in _CHANNELS.items()}
AUTHOR_OF: Final = {word: value for value, word in _AUTHORS.items()}
STATE_OF: Final = {word: value for value, word in _STATUSES.items()}
HOLDER_OF: Final = {
    HolderKind.BOT: pb2.Control.HOLDER_KIND_BOT,
    HolderKind.QUEUE: pb2.Control.HOLDER_KIND_QUEUE,
    HolderKind.AGENT: pb2.Control.HOLDER_KIND_AGENT,
}


def channel(value: "pb2.Channel.ValueType", field: str = "channel") -> Channel:
    found = _CHANNELS.get(value)
    if found is None:
        raise field_invalid(field, "VOICE, SMS or CHAT")
    return found


def channel_if_set(value: "pb2.Channel.ValueType") -> Channel | None:
    return None if value == pb2.CHANNEL_UNSPECIFIED else channel(value)


def author_kind(value: "pb2.AuthorKind.ValueType", field: str) -> AuthorKind:
    found = _AUTHORS.get(value)
    if found is None:
        raise field_invalid(field, "PATIENT, BOT or AGENT")
    return found


def reported_status(value: "AcknowledgeDeliveryRequest.Status.ValueType") -> DeliveryStatus:
    found = _REPORTED.get(value)
    if found is None:
        raise field_invalid("status", "SENT, DELIVERED or FAILED")
    return found


def state_if_set(value: "pb2.Conversation.State.ValueType") -> Status | None:
    if value == pb2.Conversation.STATE_UNSPECIFIED:
        return None
    found = _STATUSES.get(value)
    if found is None:
        raise field_invalid("state", "OPEN, WRAPPED_UP or CLOSED, or not set")
    return found
