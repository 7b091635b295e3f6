"""A conversation starts once, goes on over channels, is wrapped up, and ends."""

from datetime import UTC, datetime

import pytest
from careline.conversations.events.v1.events_pb2 import (
    CallLegEnded,
    ControlPassed,
    ConversationClosed,
    ConversationStarted,
)
from conversations.domain.conversation import Channel, Conversation, LegState, Status
from conversations.domain.lifecycle import CloseReason, Disposition
from unit.conversations.given import (
    AGENT,
    CHAT_FRONTEND,
    OTHER_AGENT,
    SMS_FRONTEND,
    VOICE_FRONTEND,
    after,
    closed,
    full,
    joined,
    leg_answered,
    leg_started,
    patient_wrote,
    queued,
    refusal,
    started,
    with_agent,
    wrapped_up,
)


def test_it_starts_with_its_bot_in_control() -> None:
    first, second = started()(Conversation())

    assert isinstance(first, ConversationStarted)
    assert isinstance(second, ControlPassed)
    assert (second.holder_kind, second.holder, second.epoch, second.reason) == (
        "BOT",
        SMS_FRONTEND,
        1,
        "START",
    )


def test_it_remembers_when_it_started_and_what_its_starter_serves() -> None:
    state = after(started())

    assert state.create_time == datetime(2025, 3, 1, 9, tzinfo=UTC)
    assert state.starter_channels == {Channel.SMS}


def test_it_does_not_start_twice() -> None:
    refused = refusal(started(), after(started()))

    assert (refused.reason, refused.metadata) == ("CONVERSATION_STATE", {"state": "open"})


def test_channels_stand_in_the_order_they_joined() -> None:
    state = after(started(), joined(Channel.CHAT), joined(Channel.VOICE))

    assert [one.channel for one in state.channels] == ["SMS", "CHAT", "VOICE"]


def test_joining_again_is_another_address_of_the_same_channel() -> None:
    state = after(started(), joined(Channel.CHAT), patient_wrote(), joined(Channel.CHAT))

    assert len(state.channels) == 2
    assert state.last_channel is Channel.CHAT


def test_a_channel_stays_with_its_frontend() -> None:
    refused = refusal(joined(Channel.SMS, CHAT_FRONTEND), after(started()))

    assert refused.reason == "CONVERSATION_STATE"


def test_nobody_joins_what_is_over_or_never_was() -> None:
    over = after(started(), closed())

    assert refusal(joined(Channel.CHAT), over).metadata == {"state": "closed"}
    assert refusal(joined(Channel.CHAT), Conversation()).metadata == {"state": "new"}


@pytest.mark.parametrize("disposition", list(Disposition))
def test_the_agent_in_control_wraps_up(disposition: Disposition) -> None:
    state = after(wrapped_up(disposition=disposition), state=with_agent())

    assert (state.status, state.disposition) == (Status.WRAPPED_UP, disposition)


def test_nobody_else_wraps_up() -> None:
    assert refusal(wrapped_up(OTHER_AGENT), with_agent()).reason == "CONTROL_NOT_HELD"
    assert refusal(wrapped_up(SMS_FRONTEND), after(started())).reason == "CONTROL_NOT_HELD"


def test_a_disposition_is_one_of_the_list() -> None:
    refused = refusal(wrapped_up(disposition="WENT_WELL"), with_agent())

    assert refused.reason == "DISPOSITION_UNKNOWN"


def test_it_is_wrapped_up_once() -> None:
    refused = refusal(wrapped_up(), after(wrapped_up(), state=with_agent()))

    assert refused.metadata == {"state": "wrapped_up"}


def test_the_bot_in_control_closes() -> None:
    state = after(started(), closed(reason=CloseReason.REFUSED))

    assert (state.status, state.close_reason) == (Status.CLOSED, "REFUSED")
    assert state.close_time is not None


def test_a_frontend_closes_when_its_person_does_not_wait() -> None:
    waiting = after(started(), joined(Channel.CHAT), queued())

    assert after(closed(CHAT_FRONTEND), state=waiting).status is Status.CLOSED
    assert refusal(closed(VOICE_FRONTEND), waiting).reason == "CONTROL_NOT_HELD"


def test_a_frontend_does_not_close_while_an_agent_holds_control() -> None:
    assert refusal(closed(SMS_FRONTEND), with_agent()).reason == "CONTROL_NOT_HELD"


def test_an_agent_closes_after_wrapping_up_only() -> None:
    refused = refusal(closed(AGENT), with_agent())

    assert (refused.reason, refused.metadata) == ("CONVERSATION_STATE", {"state": "open"})
    assert after(wrapped_up(), closed(AGENT), state=with_agent()).status is Status.CLOSED


def test_closing_ends_the_legs_that_still_go_on() -> None:
    call = after(
        started(Channel.VOICE), leg_started("legs/1"), leg_answered("legs/1"), leg_started("legs/2")
    )

    *ended, last = closed(VOICE_FRONTEND)(call)

    assert [event.leg for event in ended if isinstance(event, CallLegEnded)] == ["legs/1", "legs/2"]
    assert isinstance(last, ConversationClosed)
    assert set(after(closed(VOICE_FRONTEND), state=call).legs.values()) == {LegState.ENDED}


def test_closing_again_for_the_same_reason_is_already_so() -> None:
    over = after(started(), closed())

    assert closed()(over) == []
    assert refusal(closed(reason=CloseReason.ABANDONED), over).metadata == {"state": "closed"}


def test_there_is_nothing_to_close_before_the_start() -> None:
    assert refusal(closed(), Conversation()).metadata == {"state": "new"}


def test_a_full_conversation_takes_nothing_but_its_end() -> None:
    state = full(with_agent())

    assert refusal(patient_wrote(), state).metadata == {"state": "full"}
    assert refusal(joined(Channel.CHAT), state).metadata == {"state": "full"}
    assert after(wrapped_up(), closed(AGENT), state=state).status is Status.CLOSED
