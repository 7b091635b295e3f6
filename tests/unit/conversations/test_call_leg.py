"""Each leg has a state of its own; lines and keys are taken while it is answered."""

import pytest
from careline.conversations.events.v1.events_pb2 import (
    CallLegStarted,
    KeyPressRecorded,
    TranscriptAppended,
)
from conversations.domain import call_leg
from conversations.domain.conversation import AuthorKind, Channel, Conversation, LegState
from google.protobuf.duration_pb2 import Duration
from unit.conversations.given import (
    AGENT,
    AT,
    OTHER_AGENT,
    PHONE,
    SMS_FRONTEND,
    TEXT,
    VOICE_FRONTEND,
    Command,
    accepted,
    after,
    closed,
    full,
    joined,
    leg_answered,
    leg_started,
    queued,
    refusal,
    started,
    with_agent,
    wrapped_up,
)

CALL = after(started(Channel.VOICE), leg_started(), leg_answered())
AGENT_ON_CALL = after(queued(VOICE_FRONTEND), accepted(), state=CALL)


def keys_pressed(leg: str = "legs/1", frontend: str = VOICE_FRONTEND) -> Command:
    return lambda state: call_leg.record_keys(state, leg=leg, frontend=frontend, keys="12#", at=AT)


def line(
    speaker: AuthorKind = AuthorKind.PATIENT, by: str = VOICE_FRONTEND, leg: str = "legs/1"
) -> Command:
    return lambda state: call_leg.append_line(
        state,
        leg=leg,
        message="messages/line",
        by=by,
        speaker=speaker,
        text=TEXT,
        start_offset=Duration(seconds=3),
        at=AT,
    )


def ended(leg: str = "legs/1", frontend: str = VOICE_FRONTEND) -> Command:
    return lambda state: call_leg.end(
        state, leg=leg, frontend=frontend, reason=call_leg.EndReason.CUSTOMER_DISCONNECT, at=AT
    )


@pytest.mark.parametrize(("outbound", "direction"), [(False, "INBOUND"), (True, "OUTBOUND")])
def test_a_leg_rings_in_its_direction(outbound: bool, direction: str) -> None:
    (event,) = call_leg.start(
        after(started(Channel.VOICE)),
        leg="legs/1",
        frontend=VOICE_FRONTEND,
        address=PHONE,
        outbound=outbound,
        at=AT,
    )

    assert isinstance(event, CallLegStarted)
    assert (event.direction, event.address) == (direction, PHONE)


def test_a_leg_rings_is_answered_and_ends() -> None:
    states = []
    state = after(started(Channel.VOICE))
    for command in (leg_started(), leg_answered(), ended()):
        state = after(command, state=state)
        states.append(state.legs["legs/1"])

    assert states == [LegState.RINGING, LegState.ANSWERED, LegState.ENDED]


def test_legs_do_not_share_their_state() -> None:
    state = after(leg_started("legs/2"), ended("legs/1"), state=CALL)

    assert dict(state.legs) == {"legs/1": LegState.ENDED, "legs/2": LegState.RINGING}


def test_what_is_so_already_is_no_event() -> None:
    assert leg_answered()(CALL) == []
    assert ended()(after(ended(), state=CALL)) == []


def test_a_leg_ends_unanswered() -> None:
    state = after(started(Channel.VOICE), leg_started(), ended())

    assert state.legs["legs/1"] is LegState.ENDED


@pytest.mark.parametrize(
    ("command", "state", "was"),
    [
        (leg_answered("legs/none"), CALL, "absent"),
        (ended("legs/none"), CALL, "absent"),
        (leg_answered(), after(ended(), state=CALL), "ended"),
        (keys_pressed(), after(started(Channel.VOICE), leg_started()), "ringing"),
        (line(), after(ended(), state=CALL), "ended"),
    ],
)
def test_a_leg_is_refused_what_its_state_does_not_allow(
    command: Command, state: Conversation, was: str
) -> None:
    refused = refusal(command, state)

    assert (refused.reason, refused.metadata) == ("CALL_LEG_STATE", {"state": was})


def test_at_most_six_legs_go_on_at_once() -> None:
    six = after(started(Channel.VOICE), *(leg_started(f"legs/{n}") for n in range(6)))

    assert refusal(leg_started("legs/6"), six).reason == "CALL_LEG_STATE"
    assert len(leg_started("legs/6")(after(ended("legs/0"), state=six))) == 1


@pytest.mark.parametrize(
    "command",
    [
        leg_started("legs/2", SMS_FRONTEND),
        leg_answered(frontend=SMS_FRONTEND),
        keys_pressed(frontend=SMS_FRONTEND),
        ended(frontend=SMS_FRONTEND),
        line(by=SMS_FRONTEND),
    ],
)
def test_calls_belong_to_the_voice_frontend(command: Command) -> None:
    state = after(joined(Channel.SMS), state=CALL)

    assert refusal(command, state).reason == "CHANNEL_NOT_JOINED"


def test_there_are_no_legs_without_the_voice_channel() -> None:
    assert refusal(leg_started(), after(started())).reason == "CHANNEL_NOT_JOINED"


def test_keys_are_recorded() -> None:
    (event,) = keys_pressed()(CALL)

    assert isinstance(event, KeyPressRecorded)
    assert event.keys == "12#"


def test_a_line_of_the_person_is_always_taken() -> None:
    for state in (CALL, after(queued(VOICE_FRONTEND), state=CALL), AGENT_ON_CALL):
        (event,) = line()(state)
        assert isinstance(event, TranscriptAppended)
        assert (event.message, event.start_offset.seconds) == ("messages/line", 3)


def test_a_line_of_the_bot_needs_its_control() -> None:
    assert len(line(AuthorKind.BOT)(CALL)) == 1
    assert refusal(line(AuthorKind.BOT), AGENT_ON_CALL).reason == "CONTROL_NOT_HELD"
    silent = after(queued(VOICE_FRONTEND), state=CALL)
    assert refusal(line(AuthorKind.BOT), silent).reason == "CONTROL_NOT_HELD"


def test_a_bot_in_control_has_lines_on_calls_of_its_own_frontend_only() -> None:
    state = after(started(), joined(Channel.VOICE), leg_started(), leg_answered())

    refused = refusal(line(AuthorKind.BOT, SMS_FRONTEND), state)

    assert refused.reason == "CHANNEL_NOT_JOINED"


def test_a_line_of_the_agent_comes_from_his_desk_or_from_who_hears_him() -> None:
    assert len(line(AuthorKind.AGENT, AGENT)(AGENT_ON_CALL)) == 1
    assert len(line(AuthorKind.AGENT, VOICE_FRONTEND)(AGENT_ON_CALL)) == 1


@pytest.mark.parametrize(
    ("by", "state"),
    [
        (VOICE_FRONTEND, CALL),
        (AGENT, CALL),
        (OTHER_AGENT, AGENT_ON_CALL),
        (SMS_FRONTEND, AGENT_ON_CALL),
    ],
)
def test_a_line_of_an_agent_without_control_is_refused(by: str, state: Conversation) -> None:
    assert refusal(line(AuthorKind.AGENT, by), state).reason == "CONTROL_NOT_HELD"


def test_a_leg_ends_also_after_wrap_up_and_close() -> None:
    wrapped = after(wrapped_up(), state=AGENT_ON_CALL)

    assert len(ended()(wrapped)) == 1
    assert ended()(after(closed(AGENT), state=wrapped)) == []


@pytest.mark.parametrize("command", [leg_started("legs/2"), leg_answered(), keys_pressed(), line()])
def test_nothing_begins_on_a_call_that_is_wrapped_up(command: Command) -> None:
    wrapped = after(wrapped_up(), state=AGENT_ON_CALL)

    assert refusal(command, wrapped).metadata == {"state": "wrapped_up"}


def test_a_leg_needs_room_for_its_end() -> None:
    assert refusal(leg_started("legs/2"), full(CALL)).metadata == {"state": "full"}
    assert len(ended()(full(CALL))) == 1
    assert refusal(line(), full(CALL)).metadata == {"state": "full"}


def test_a_call_changes_the_channel_that_the_person_used_last() -> None:
    state = after(joined(Channel.VOICE), state=with_agent())
    state = after(joined(Channel.CHAT), leg_started(), leg_answered(), state=state)
    assert state.last_channel is Channel.CHAT

    assert after(line(), state=state).last_channel is Channel.VOICE
    assert after(keys_pressed(), state=state).last_channel is Channel.VOICE
    assert after(line(AuthorKind.AGENT, AGENT), state=state).last_channel is Channel.CHAT
