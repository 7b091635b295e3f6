"""Messages come by the channel's frontend and go out by a joined channel."""

from dataclasses import replace

import pytest
from careline.conversations.events.v1.events_pb2 import DeliveryQueued, MessagePosted
from conversations.domain.conversation import Channel, Conversation
from unit.conversations.given import (
    CHAT_FRONTEND,
    SMS_FRONTEND,
    TEXT,
    Command,
    after,
    agent_wrote,
    bot_wrote,
    closed,
    full,
    joined,
    patient_wrote,
    refusal,
    started,
    with_agent,
    wrapped_up,
)


def test_what_the_person_writes_is_one_event_and_no_delivery() -> None:
    (posted,) = patient_wrote()(after(started()))

    assert isinstance(posted, MessagePosted)
    assert (posted.author_kind, posted.author, posted.channel, posted.text) == (
        "PATIENT",
        SMS_FRONTEND,
        "SMS",
        TEXT,
    )


def test_what_the_bot_says_waits_for_its_frontend() -> None:
    posted, queued = bot_wrote()(after(started()))

    assert isinstance(posted, MessagePosted)
    assert isinstance(queued, DeliveryQueued)
    assert queued.message == posted.message
    assert (queued.delivery, queued.channel, queued.frontend) == (
        "deliveries/bot",
        "SMS",
        SMS_FRONTEND,
    )


def test_an_agent_answers_by_the_channel_that_the_person_used_last() -> None:
    def channel_of(state: Conversation) -> tuple[str, str]:
        _, queued = agent_wrote()(state)
        assert isinstance(queued, DeliveryQueued)
        return queued.channel, queued.frontend

    state = with_agent()
    assert channel_of(state) == ("SMS", SMS_FRONTEND)
    state = after(joined(Channel.CHAT), state=state)
    assert channel_of(state) == ("CHAT", CHAT_FRONTEND)
    state = after(patient_wrote(), state=state)
    assert channel_of(state) == ("SMS", SMS_FRONTEND)


def test_what_goes_out_does_not_change_the_channel_last_used() -> None:
    state = after(joined(Channel.CHAT), agent_wrote(channel=Channel.SMS), state=with_agent())

    assert state.last_channel is Channel.CHAT


@pytest.mark.parametrize(
    ("command", "state"),
    [
        (patient_wrote(channel=Channel.CHAT), after(started())),
        (patient_wrote(channel=None), after(started())),
        (patient_wrote(frontend=CHAT_FRONTEND), after(started(), joined(Channel.CHAT))),
        (bot_wrote(channel=Channel.CHAT), after(started(), joined(Channel.CHAT))),
        (agent_wrote(channel=Channel.VOICE), with_agent()),
    ],
)
def test_a_message_goes_by_a_channel_that_its_frontend_serves_here(
    command: Command, state: Conversation
) -> None:
    assert refusal(command, state).reason == "CHANNEL_NOT_JOINED"


def test_a_bot_does_not_follow_the_person_to_the_channel_of_another_frontend() -> None:
    state = after(started(), joined(Channel.CHAT))

    assert refusal(bot_wrote(), state).reason == "CHANNEL_NOT_JOINED"
    assert len(bot_wrote(channel=Channel.SMS)(state)) == 2


@pytest.mark.parametrize("command", [patient_wrote(), bot_wrote(), agent_wrote()])
def test_nothing_is_said_once_it_is_over_or_before_it_began(command: Command) -> None:
    over = after(started(), closed())
    wrapped = after(wrapped_up(), state=with_agent())

    assert refusal(command, over).metadata == {"state": "closed"}
    assert refusal(command, wrapped).metadata == {"state": "wrapped_up"}
    assert refusal(command, Conversation()).metadata == {"state": "new"}


def test_a_message_that_goes_out_needs_room_for_its_reports_too() -> None:
    nearly_full = replace(with_agent(), committed=9_998 - 3)

    assert refusal(agent_wrote(), nearly_full).metadata == {"state": "full"}
    assert len(patient_wrote()(nearly_full)) == 1
    assert refusal(patient_wrote(), full(with_agent())).metadata == {"state": "full"}
