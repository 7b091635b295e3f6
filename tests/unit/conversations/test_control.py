"""One holder of control at a time, each stretch counted."""

import pytest
from conversations.domain.conversation import Channel, Conversation, HolderKind, Status
from unit.conversations.given import (
    AGENT,
    CHAT_FRONTEND,
    OTHER_AGENT,
    SMS_FRONTEND,
    Command,
    accepted,
    after,
    agent_wrote,
    bot_wrote,
    closed,
    full,
    holder,
    joined,
    patient_wrote,
    queued,
    refusal,
    started,
    with_agent,
    wrapped_up,
)


def test_stretches_are_counted() -> None:
    state = after(started())
    assert holder(state) == (HolderKind.BOT, SMS_FRONTEND, 1)

    state = after(queued(), state=state)
    assert holder(state) == (HolderKind.QUEUE, "", 2)

    state = after(accepted(), state=state)
    assert holder(state) == (HolderKind.AGENT, AGENT, 3)


def test_an_agent_passes_on_to_another_by_the_queue() -> None:
    state = after(queued(AGENT), accepted(OTHER_AGENT), state=with_agent())

    assert holder(state) == (HolderKind.AGENT, OTHER_AGENT, 5)
    assert state.agents == {AGENT, OTHER_AGENT}


@pytest.mark.parametrize(
    ("state", "by"),
    [
        (after(started()), CHAT_FRONTEND),
        (after(started()), AGENT),
        (after(started(), queued()), SMS_FRONTEND),
        (after(started(), queued()), ""),
        (with_agent(), OTHER_AGENT),
        (with_agent(), SMS_FRONTEND),
    ],
)
def test_only_its_holder_passes_control(state: Conversation, by: str) -> None:
    refused = refusal(queued(by), state)

    assert refused.reason == "CONTROL_NOT_HELD"
    assert refused.metadata["epoch"] == str(state.control.epoch)


@pytest.mark.parametrize("write", [bot_wrote(), bot_wrote(channel=Channel.SMS)])
def test_a_bot_is_silent_once_it_gave_control_up(write: Command) -> None:
    assert refusal(write, after(started(), queued())).reason == "CONTROL_NOT_HELD"
    assert refusal(write, with_agent()).reason == "CONTROL_NOT_HELD"


def test_an_agent_speaks_while_he_holds_control_only() -> None:
    assert refusal(agent_wrote(), after(started(), queued())).reason == "CONTROL_NOT_HELD"
    assert refusal(agent_wrote(agent=OTHER_AGENT), with_agent()).reason == "CONTROL_NOT_HELD"
    gave_up = after(queued(AGENT), state=with_agent())
    assert refusal(agent_wrote(), gave_up).reason == "CONTROL_NOT_HELD"


def test_the_person_is_heard_whoever_holds_control() -> None:
    for state in (after(started()), after(started(), queued()), with_agent()):
        assert len(patient_wrote()(state)) == 1


def test_an_accepted_offer_takes_control_from_whoever_has_it() -> None:
    from_bot = after(started(), accepted())
    from_agent = after(accepted(OTHER_AGENT), state=with_agent())

    assert holder(from_bot) == (HolderKind.AGENT, AGENT, 2)
    assert holder(from_agent) == (HolderKind.AGENT, OTHER_AGENT, 4)


@pytest.mark.parametrize(
    "state",
    [
        with_agent(),
        Conversation(),
        after(started(), closed()),
        after(wrapped_up(), state=with_agent()),
        full(after(started(), queued())),
    ],
)
def test_an_offer_accepted_too_late_or_twice_changes_nothing(state: Conversation) -> None:
    assert accepted()(state) == []


def test_a_conversation_that_does_not_go_on_is_not_passed_on() -> None:
    wrapped = after(wrapped_up(), state=with_agent())

    assert refusal(queued(AGENT), wrapped).metadata == {"state": "wrapped_up"}
    assert refusal(queued(), after(started(), closed())).metadata == {"state": "closed"}
    assert refusal(queued(), full(after(started()))).metadata == {"state": "full"}


def test_a_channel_that_joins_does_not_touch_control() -> None:
    state = after(joined(Channel.CHAT), state=with_agent())

    assert holder(state) == (HolderKind.AGENT, AGENT, 3)
    assert state.status is Status.OPEN
