"""Messages: what the person writes is taken, what goes out comes from the holder of control."""

from careline.conversations.events.v1.events_pb2 import DeliveryQueued, MessagePosted
from eventstore.decider import Rejected
from google.protobuf.timestamp_pb2 import Timestamp

from conversations.domain.control import require_control
from conversations.domain.conversation import (
    EVENTS_OF_DELIVERY,
    AuthorKind,
    Channel,
    Conversation,
    Event,
    HolderKind,
)
from conversations.domain.limits import require_open


def take_in(
    state: Conversation,
    *,
    message: str,
    frontend: str,
    channel: Channel | None,
    text: str,
    at: Timestamp,
) -> list[Event]:
    """Take what the person wrote, brought by the frontend of the channel; always, while open."""
    require_open(state, 1)
    brought_by = _served(state, channel, frontend)
    return [_posted(message, AuthorKind.PATIENT, frontend, brought_by, text, at)]


def send_as_bot(
    state: Conversation,
    *,
    message: str,
    delivery: str,
    frontend: str,
    channel: Channel | None,
    text: str,
    at: Timestamp,
) -> list[Event]:
    """Queue what the bot says, on a channel of its own frontend and while it holds control."""
    require_open(state, 1 + EVENTS_OF_DELIVERY)
    require_control(state, HolderKind.BOT, frontend)
    by = _served(state, channel or state.last_channel, frontend)
    posted = _posted(message, AuthorKind.BOT, frontend, by, text, at)
    return [posted, _queued(state, delivery, message, by)]


def send_as_agent(
    state: Conversation,
    *,
    message: str,
    delivery: str,
    agent: str,
    channel: Channel | None,
    text: str,
    at: Timestamp,
) -> list[Event]:
    """Queue what the agent in control says, by a channel of the conversation."""
    require_open(state, 1 + EVENTS_OF_DELIVERY)
    require_control(state, HolderKind.AGENT, agent)
    by = channel or state.last_channel
    if by is None or not state.frontend_of(by):
        raise Rejected("CHANNEL_NOT_JOINED")
    posted = _posted(message, AuthorKind.AGENT, agent, by, text, at)
    return [posted, _queued(state, delivery, message, by)]


def _served(state: Conversation, channel: Channel | None, frontend: str) -> Channel:
    """Give the channel back if this frontend serves it here."""
    if channel is None or state.frontend_of(channel) != frontend:
        raise Rejected("CHANNEL_NOT_JOINED")
    return channel


def _posted(
    message: str, kind: AuthorKind, author: str, channel: Channel, text: str, at: Timestamp
) -> MessagePosted:
    return MessagePosted(
        message=message,
        author_kind=kind,
        author=author,
        channel=channel,
        text=text,
        post_time=at,
    )


def _queued(state: Conversation, delivery: str, message: str, channel: Channel) -> DeliveryQueued:
    return DeliveryQueued(
        delivery=delivery,
        message=message,
        channel=channel,
        frontend=state.frontend_of(channel),
    )
