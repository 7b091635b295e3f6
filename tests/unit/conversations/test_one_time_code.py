"""A code goes to the frontend of its channel, or of the caller's start."""

from functools import partial

from conversations.domain import lifecycle
from conversations.domain.conversation import Channel, Conversation
from conversations.domain.one_time_code import sender_of
from unit.conversations.given import (
    AT,
    CHAT_FRONTEND,
    SMS_FRONTEND,
    VOICE_FRONTEND,
    Command,
    after,
    closed,
    joined,
    refusal,
    started,
)


def started_by_voice(*served: Channel) -> Command:
    return lambda state: lifecycle.start(
        state,
        channel=Channel.VOICE,
        frontend=VOICE_FRONTEND,
        served_channels=served,
        address="+16175550123",
        at=AT,
    )


def test_the_channels_frontend_sends_it() -> None:
    state = after(started(), joined(Channel.CHAT))

    assert sender_of(state, Channel.SMS) == SMS_FRONTEND
    assert sender_of(state, Channel.CHAT) == CHAT_FRONTEND


def test_the_starter_sends_a_text_when_it_serves_sms() -> None:
    state = after(started_by_voice(Channel.VOICE, Channel.SMS))

    assert sender_of(state, Channel.SMS) == VOICE_FRONTEND
    assert sender_of(state, Channel.VOICE) == VOICE_FRONTEND


def test_nobody_sends_what_nobody_serves() -> None:
    state = after(started_by_voice(Channel.VOICE, Channel.CHAT))

    for channel in (Channel.SMS, Channel.CHAT):
        refused = refusal(partial(sender_of, channel=channel), state)
        assert refused.reason == "CODE_UNDELIVERABLE"


def test_no_code_is_sent_for_what_is_over() -> None:
    over = after(started(), closed())

    for state in (over, Conversation()):
        refused = refusal(partial(sender_of, channel=Channel.SMS), state)
        assert refused.reason == "CONVERSATION_STATE"
