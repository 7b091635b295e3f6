"""Calls over gRPC: legs, keys and lines of transcript."""

import pytest
from careline.conversations.v1 import call_service_pb2 as api
from careline.conversations.v1 import conversation_pb2 as pb
from google.protobuf.duration_pb2 import Duration
from integration.conversations.rig import Client, Process
from integration.conversations.steps import (
    AGENT,
    BOT,
    PATIENT,
    PHONE,
    VOICE,
    close,
    hand_to,
    history,
    join,
    start,
)
from integration.refusals import refusal, request_id, violation
from runtime.new_id import new_id


@pytest.fixture
async def frontend(process: Process) -> Client:
    return await process.frontend("VOICE", "SMS")


@pytest.fixture
async def call(frontend: Client) -> str:
    return await start(frontend, VOICE)


def ringing(name: str, address: str = PHONE, *, outbound: bool = False) -> api.StartLegRequest:
    return api.StartLegRequest(
        request_id=request_id(), conversation=name, address=address, outbound=outbound
    )


def answered(name: str, leg: str) -> api.AnswerLegRequest:
    return api.AnswerLegRequest(request_id=request_id(), conversation=name, leg=leg)


def keys(name: str, leg: str, pressed: str = "12#") -> api.RecordKeyPressRequest:
    return api.RecordKeyPressRequest(
        request_id=request_id(), conversation=name, leg=leg, keys=pressed
    )


def line(
    name: str,
    leg: str,
    text: str = "Hello",
    speaker: "pb.AuthorKind.ValueType" = PATIENT,
    offset: Duration | None = None,
) -> api.AppendTranscriptRequest:
    return api.AppendTranscriptRequest(
        request_id=request_id(),
        conversation=name,
        leg=leg,
        speaker_kind=speaker,
        text=text,
        start_offset=offset,
    )


def ended(name: str, leg: str, reason: str = "CUSTOMER_DISCONNECT") -> api.EndLegRequest:
    return api.EndLegRequest(request_id=request_id(), conversation=name, leg=leg, reason=reason)


async def connected(frontend: Client, name: str) -> str:
    leg = (await frontend.calls.StartLeg(ringing(name))).leg
    await frontend.calls.AnswerLeg(answered(name, leg))
    return leg


async def test_a_call_from_ringing_to_its_end(frontend: Client, call: str) -> None:
    leg = (await frontend.calls.StartLeg(ringing(call))).leg
    await frontend.calls.AnswerLeg(answered(call, leg))
    await frontend.calls.AppendTranscript(line(call, leg, "How can we help?", BOT))
    said = await frontend.calls.AppendTranscript(
        line(call, leg, "My knee hurts", offset=Duration(seconds=3, nanos=500_000_000))
    )
    await frontend.calls.RecordKeyPress(keys(call, leg, "2*A"))
    await frontend.calls.EndLeg(ended(call, leg))
    await close(frontend, call, "REFUSED")

    lines = (await history(frontend, call))[2:]
    assert [(one.event, one.subject, one.text or one.detail) for one in lines] == [
        ("CallLegStarted", leg, "INBOUND"),
        ("CallLegAnswered", leg, ""),
        ("TranscriptAppended", lines[2].subject, "How can we help?"),
        ("TranscriptAppended", said.message, "My knee hurts"),
        ("KeyPressRecorded", leg, "2*A"),
        ("CallLegEnded", leg, "CUSTOMER_DISCONNECT"),
        ("ConversationClosed", "", "REFUSED"),
    ]
    assert {one.channel for one in lines[:-1]} == {VOICE}
    assert [one.author_kind for one in lines[2:4]] == [BOT, PATIENT]
    assert lines[3].start_offset == Duration(seconds=3, nanos=500_000_000)


async def test_repeated_requests_are_answered_alike(
    process: Process, frontend: Client, call: str
) -> None:
    start_leg = ringing(call)
    started = await frontend.calls.StartLeg(start_leg)
    answer = answered(call, started.leg)
    first = await frontend.calls.AnswerLeg(answer)
    said = line(call, started.leg)
    message = await frontend.calls.AppendTranscript(said)
    end = ended(call, started.leg)
    over = await frontend.calls.EndLeg(end)

    assert await frontend.calls.StartLeg(start_leg) == started
    assert await frontend.calls.AnswerLeg(answer) == first
    assert await frontend.calls.AppendTranscript(said) == message
    assert await frontend.calls.EndLeg(end) == over
    assert len(await process.events(call)) == 6


async def test_a_leg_is_refused_what_its_state_does_not_allow(frontend: Client, call: str) -> None:
    leg = (await frontend.calls.StartLeg(ringing(call))).leg
    nowhere = f"legs/{new_id()}"

    for refused in (
        frontend.calls.RecordKeyPress(keys(call, leg)),
        frontend.calls.AppendTranscript(line(call, leg)),
        frontend.calls.AnswerLeg(answered(call, nowhere)),
        frontend.calls.EndLeg(ended(call, nowhere)),
    ):
        assert await refusal(refused) == "CALL_LEG_STATE"
    await frontend.calls.EndLeg(ended(call, leg))
    assert await refusal(frontend.calls.AnswerLeg(answered(call, leg))) == "CALL_LEG_STATE"


async def test_calls_are_their_frontends(process: Process, frontend: Client, call: str) -> None:
    sms, stranger = await process.frontend("SMS"), await process.frontend("VOICE")
    await join(sms, call, pb.CHANNEL_SMS, PHONE)

    assert await refusal(sms.calls.StartLeg(ringing(call))) == "CHANNEL_NOT_JOINED"
    assert await refusal(stranger.calls.StartLeg(ringing(call))) == "DENIED_OR_ABSENT"
    agent = await process.agent()
    await hand_to(process, frontend, agent, call)
    assert await refusal(agent.calls.StartLeg(ringing(call))) == "DENIED_OR_ABSENT"


async def test_lines_of_bot_and_agent_need_control(
    process: Process, frontend: Client, call: str
) -> None:
    leg, agent = await connected(frontend, call), await process.agent()
    add = frontend.calls.AppendTranscript
    assert await refusal(add(line(call, leg, speaker=AGENT))) == "CONTROL_NOT_HELD"
    await hand_to(process, frontend, agent, call)

    assert await refusal(add(line(call, leg, speaker=BOT))) == "CONTROL_NOT_HELD"
    await add(line(call, leg, "As heard", AGENT))
    await agent.calls.AppendTranscript(line(call, leg, "As typed", AGENT))
    await add(line(call, leg))
    texts = [one.text for one in await history(agent, call) if one.text]
    assert texts == ["As heard", "As typed", "Hello"]


async def test_fields_are_checked(frontend: Client, call: str) -> None:
    leg = await connected(frontend, call)
    press, add = frontend.calls.RecordKeyPress, frontend.calls.AppendTranscript

    for pressed in ("", "1 2", "E", "1" * 33, "\u0661"):
        assert await violation(press(keys(call, leg, pressed))) == "keys"
    for offset in (
        Duration(seconds=-1),
        Duration(nanos=-1),
        Duration(seconds=86_401),
        Duration(nanos=2_000_000_000),
    ):
        assert await violation(add(line(call, leg, offset=offset))) == "start_offset"
    unset = pb.AUTHOR_KIND_UNSPECIFIED
    assert await violation(add(line(call, leg, speaker=unset))) == "speaker_kind"
    assert await violation(add(line(call, leg, ""))) == "text"
    assert await violation(add(line(call, leg, "x" * 4097))) == "text"
    assert await violation(add(line(call, "legs/1"))) == "leg"
    assert await violation(frontend.calls.EndLeg(ended(call, leg, "BORED"))) == "reason"
    assert await violation(frontend.calls.StartLeg(ringing(call, "nobody"))) == "address"
    assert await violation(frontend.calls.StartLeg(ringing("conversations/1"))) == "conversation"
    assert len(await history(frontend, call)) == 4


async def test_there_are_no_calls_in_a_conversation_without_the_voice_channel(
    frontend: Client,
) -> None:
    name = await start(frontend)

    assert await refusal(frontend.calls.StartLeg(ringing(name))) == "CHANNEL_NOT_JOINED"
