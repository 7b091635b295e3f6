"""A conversation as the API shows it."""

from careline.conversations.v1.conversation_pb2 import Control, Conversation

from conversations.adapters.api_words import CHANNEL_OF, HOLDER_OF, STATE_OF
from conversations.domain.conversation import Conversation as State


def conversation_message(name: str, state: State, revision: int) -> Conversation:
    """Show a conversation that has started; its etag is its revision."""
    message = Conversation(
        name=name,
        state=STATE_OF[state.status],
        channels=[CHANNEL_OF[one.channel] for one in state.channels],
        control=Control(
            holder_kind=HOLDER_OF[state.control.holder_kind],
            holder=state.control.holder,
            epoch=state.control.epoch,
        ),
        patient=state.patient,
        caller_level=state.caller_level,
        disposition=state.disposition,
        etag=str(revision),
    )
    if state.create_time is not None:
        message.create_time.FromDatetime(state.create_time)
    if state.close_time is not None:
        message.close_time.FromDatetime(state.close_time)
    return message
