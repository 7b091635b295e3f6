"""Conversations as they were at a moment: read by the rules of now, noted as a read of now."""

from datetime import UTC, datetime, timedelta

import pytest
from careline.conversations.v1 import conversation_pb2 as pb
from careline.conversations.v1 import conversation_service_pb2 as api
from careline.log.events.v1.events_pb2 import Disclosed
from careline.log.v1.as_of_pb2 import AsOf
from google.protobuf.timestamp_pb2 import Timestamp
from integration.conversations.linking import ConversationLinks
from integration.conversations.rig import Client, Process
from integration.conversations.steps import close, get, hand_to, patient_says, start
from integration.refusals import refusal, violation
from runtime.new_id import new_id

BEYOND = 1 << 60


@pytest.fixture
async def frontend(process: Process) -> Client:
    return await process.frontend()


@pytest.fixture
async def agent(process: Process) -> Client:
    return await process.agent()


async def get_as_of(who: Client, name: str, as_of: AsOf) -> pb.Conversation:
    answer = await who.conversations.GetConversation(
        api.GetConversationRequest(name=name, as_of=as_of)
    )
    return answer.conversation


async def history_as_of(who: Client, name: str, as_of: AsOf) -> list[pb.HistoryEntry]:
    pages = who.conversations.WatchConversation(
        api.WatchConversationRequest(conversation=name, as_of=as_of)
    )
    return [entry async for page in pages for entry in page.entries]


def at_time(moment: datetime) -> AsOf:
    stamp = Timestamp()
    stamp.FromDatetime(moment)
    return AsOf(time=stamp)


async def test_a_conversation_is_read_as_it_was(process: Process, frontend: Client) -> None:
    name = await start(frontend)
    opened = await get(frontend, name)
    await patient_says(frontend, name, "Hello")
    await close(frontend, name)
    events = await process.events(name)
    begun, spoken = events[1], events[2]

    by_position = await get_as_of(frontend, name, AsOf(position=begun.position))
    by_time = await get_as_of(frontend, name, at_time(begun.recorded_at))
    after_words = await get_as_of(frontend, name, AsOf(position=spoken.position))

    assert by_position == by_time == opened
    assert (after_words.etag, after_words.state) == ("2", pb.Conversation.STATE_OPEN)
    assert (await get(frontend, name)).state == pb.Conversation.STATE_CLOSED


async def test_a_history_is_read_up_to_a_moment_and_ends(
    process: Process, frontend: Client
) -> None:
    name = await start(frontend)
    for text in ("one", "two", "three"):
        await patient_says(frontend, name, text)
    events = await process.events(name)

    entries = await history_as_of(frontend, name, AsOf(position=events[3].position))

    assert [entry.revision for entry in entries] == [0, 1, 2, 3]
    assert [entry.text for entry in entries if entry.text] == ["one", "two"]


async def test_before_it_began_there_is_no_conversation(process: Process, frontend: Client) -> None:
    name = await start(frontend)
    first, *_ = await process.events(name)
    before = at_time(first.recorded_at - timedelta(seconds=1))

    assert await refusal(get_as_of(frontend, name, before)) == "DENIED_OR_ABSENT"
    assert await history_as_of(frontend, name, before) == []


async def test_who_may_read_is_decided_by_what_is_so_now(
    process: Process, frontend: Client, agent: Client
) -> None:
    name = await start(frontend)
    then = AsOf(position=(await process.events(name))[-1].position)
    assert await refusal(get_as_of(agent, name, then)) == "DENIED_OR_ABSENT"

    await hand_to(process, frontend, agent, name)

    assert (await get_as_of(agent, name, then)).etag == "1"
    stranger = await process.agent()
    assert await refusal(get_as_of(stranger, name, then)) == "DENIED_OR_ABSENT"
    assert await refusal(history_as_of(stranger, name, then)) == "DENIED_OR_ABSENT"


async def test_a_look_back_at_a_patients_conversation_is_a_disclosure_of_now(
    process: Process, frontend: Client, agent: Client
) -> None:
    name = await start(frontend)
    await patient_says(frontend, name, "Before anybody knew who it is")
    then = AsOf(position=(await process.events(name))[-1].position)
    patient = f"patients/{new_id()}"
    await ConversationLinks(process, frontend).link(name, patient)
    await hand_to(process, frontend, agent, name)

    entries = await history_as_of(agent, name, then)

    log = process.serving.runtime.log
    disclosed = [
        Disclosed.FromString(event.data)
        async for event in log.read_log(types={Disclosed.DESCRIPTOR.full_name})
    ]
    assert entries[-1].text == "Before anybody knew who it is"
    assert [(one.patient, one.conversation) for one in disclosed if one.conversation == name] == [
        (patient, name)
    ]


async def test_what_was_erased_since_is_erased_then_too(process: Process, frontend: Client) -> None:
    name = await start(frontend)
    await patient_says(frontend, name, "Hello")
    then = AsOf(position=(await process.events(name))[-1].position)
    patient = f"patients/{new_id()}"
    await ConversationLinks(process, frontend).link(name, patient)
    await process.ground.erase(patient)

    entries = await history_as_of(frontend, name, then)

    assert [(entry.text, entry.erased) for entry in entries if entry.revision == 2] == [("", True)]


@pytest.mark.parametrize(
    ("as_of", "field"),
    [
        (AsOf(position=-1), "as_of.position"),
        (AsOf(position=BEYOND), "as_of.position"),
        (at_time(datetime(2999, 1, 1, tzinfo=UTC)), "as_of.time"),
        (AsOf(time=Timestamp(seconds=BEYOND)), "as_of.time"),
    ],
    ids=["before the log", "beyond the log", "to come", "no time"],
)
async def test_a_moment_that_can_not_be_read_is_refused(
    frontend: Client, as_of: AsOf, field: str
) -> None:
    name = await start(frontend)

    assert await violation(get_as_of(frontend, name, as_of)) == field
    assert await violation(history_as_of(frontend, name, as_of)) == field
