"""Which frontend sends a one-time code out."""

from eventstore.decider import Rejected

from conversations.domain.conversation import Channel, Conversation
from conversations.domain.limits import require_open


def sender_of(state: Conversation, channel: Channel) -> str:
    """Give the frontend that serves the channel in the conversation.

    Somebody who calls can be sent a text all the same, by the frontend that started the
    conversation when it serves SMS, too.
    """
    require_open(state)
    if frontend := state.frontend_of(channel):
        return frontend
    if channel is Channel.SMS and channel in state.starter_channels:
        return state.channels[0].frontend
    raise Rejected("CODE_UNDELIVERABLE")
