"""A conversation is linked to whom a valid assertion names, in the keyring before the log."""

import asyncio

import pytest
from careline.conversations.events.v1.events_pb2 import PatientLinked
from careline.conversations.v1 import conversation_service_pb2 as api
from integration.conversations.linking import ConversationLinks
from integration.conversations.rig import DEMO, Client, Process
from integration.conversations.steps import close, get, hand_to, patient_says, start
from integration.refusals import refusal, request_id
from runtime.new_id import new_id
from runtime.tokens.caller_assertion import CallerLevel


@pytest.fixture
async def frontend(process: Process) -> Client:
    return await process.frontend()


@pytest.fixture
def links(process: Process, frontend: Client) -> ConversationLinks:
    return ConversationLinks(process, frontend)


@pytest.fixture
def patient() -> str:
    return f"patients/{new_id()}"


async def kept_links(process: Process, name: str) -> set[str]:
    return {link.patient for link in await process.ground.keyring.links(DEMO, name)}


async def test_it_is_linked_in_the_log_and_in_the_keyring(
    process: Process, frontend: Client, links: ConversationLinks, patient: str
) -> None:
    name = await start(frontend)
    answer = await links.link(name, patient, CallerLevel.MATCHED)

    assert (answer.conversation.patient, answer.conversation.caller_level) == (patient, "MATCHED")
    assert isinstance((await process.messages(name))[-1], PatientLinked)
    assert await kept_links(process, name) == {patient}


async def test_a_repeated_link_is_answered_alike(
    process: Process, frontend: Client, links: ConversationLinks, patient: str
) -> None:
    name = await start(frontend)
    request = await links.request(name, patient)
    first = await frontend.conversations.LinkPatient(request)
    await patient_says(frontend, name, "Hi")
    await close(frontend, name)

    assert await frontend.conversations.LinkPatient(request) == first
    assert len(await process.events(name)) == 5


async def test_the_level_rises_and_the_patient_stays(
    process: Process, frontend: Client, links: ConversationLinks, patient: str
) -> None:
    name, other = await start(frontend), f"patients/{new_id()}"
    await links.link(name, patient, CallerLevel.MATCHED)
    await links.link(name, patient, CallerLevel.VERIFIED)
    await links.link(name, patient, CallerLevel.MATCHED)

    assert await refusal(links.link(name, other, CallerLevel.HIGH)) == "PATIENT_LINKED"
    conversation = await get(frontend, name)
    assert (conversation.patient, conversation.caller_level) == (patient, "VERIFIED")
    assert await kept_links(process, name) == {patient}


async def test_of_two_patients_at_once_one_is_linked_everywhere(
    process: Process, frontend: Client, links: ConversationLinks
) -> None:
    name = await start(frontend)
    rivals = [f"patients/{new_id()}" for _ in range(6)]
    answers = await asyncio.gather(
        *(links.link(name, rival) for rival in rivals), return_exceptions=True
    )

    linked = [one for one in answers if isinstance(one, api.LinkPatientResponse)]
    assert len(linked) == 1
    assert await kept_links(process, name) == {linked[0].conversation.patient}


async def test_what_is_closed_is_not_linked_nowhere(
    process: Process, frontend: Client, links: ConversationLinks, patient: str
) -> None:
    name = await start(frontend)
    await close(frontend, name)

    assert await refusal(links.link(name, patient)) == "CONVERSATION_STATE"
    assert await kept_links(process, name) == set()


async def test_an_assertion_holds_for_its_own_conversation_and_tenant(
    process: Process, frontend: Client, links: ConversationLinks, patient: str
) -> None:
    name, other = await start(frontend), await start(frontend)
    genuine = await links.assertion(name, patient)
    header, payload, signature = genuine.split(".")
    for forged in (
        await links.assertion(other, patient),
        await links.assertion(name, patient, tenant="other"),
        await links.assertion(name, patient, CallerLevel.ANONYMOUS),
        f"{header}.{payload}.{signature[:-8]}AAAAAAAA",
        f"{header}.{payload}x.{signature}",
        f"{header}.e30.{signature}",
        f"{header}.W10.{signature}",
        f"{header}.eyJwYXRpZW50IjogMX0.{signature}",
        f"{header}.%%%.{signature}",
        "no assertion",
        "x" * 5000,
        "",
    ):
        request = api.LinkPatientRequest(
            request_id=request_id(), conversation=name, caller_assertion=forged
        )
        assert await refusal(frontend.conversations.LinkPatient(request)) == "ASSERTION_INVALID"
    assert await kept_links(process, name) == set()
    assert (await get(frontend, name)).patient == ""


async def test_who_does_not_take_part_links_nothing(
    process: Process, frontend: Client, links: ConversationLinks, patient: str
) -> None:
    name = await start(frontend)
    stranger, agent = await process.frontend(), await process.agent()
    request = await links.request(name, patient)

    assert await refusal(stranger.conversations.LinkPatient(request)) == "DENIED_OR_ABSENT"
    assert await refusal(agent.conversations.LinkPatient(request)) == "DENIED_OR_ABSENT"
    await hand_to(process, frontend, agent, name)
    assert (await agent.conversations.LinkPatient(request)).conversation.patient == patient

    await process.accept(name, f"agents/{new_id()}")
    again = await links.request(name, patient, CallerLevel.HIGH)
    assert await refusal(agent.conversations.LinkPatient(again)) == "DENIED_OR_ABSENT"
    assert await kept_links(process, name) == {patient}


async def test_an_erased_patient_is_linked_to_nothing(
    process: Process, frontend: Client, links: ConversationLinks, patient: str
) -> None:
    name = await start(frontend)
    await process.ground.keyring.data_key(DEMO, patient)
    await process.ground.erase(patient)

    assert await refusal(links.link(name, patient)) == "PATIENT_ERASED"
    assert (await get(frontend, name)).patient == ""
