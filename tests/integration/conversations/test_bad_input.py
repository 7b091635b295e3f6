"""What conversations refuses: each by its code and reason, telling nothing, changing nothing."""

from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from careline.conversations.v1 import conversation_service_pb2 as api
from integration.bad_calls import REFUSALS, BadCall, Caller, log_unchanged, refused
from integration.conversations.rig import SERVICE, Client, Process
from integration.conversations.steps import (
    CHAT,
    SMS,
    agent_says,
    bot_says,
    close,
    get,
    history,
    message,
    patient_says,
    start,
)
from integration.refusals import request_id

CANARY = "Jane Doe 1985"
ABSENT = "conversations/01970000-0000-7000-8000-000000000000"
STATE, INVALID = "FAILED_PRECONDITION", "INVALID_ARGUMENT"
DENIED = ("PERMISSION_DENIED", "DENIED_OR_ABSENT")
Call = Callable[[Client, str], Awaitable[Any]]


def posting(name: str, *, etag: str = "", request: str = "") -> api.PostMessageRequest:
    posted = message(name, CANARY)
    posted.MergeFrom(api.PostMessageRequest(etag=etag, request_id=request))
    return posted


def linking(name: str) -> api.LinkPatientRequest:
    return api.LinkPatientRequest(
        request_id=request_id(), conversation=name, caller_assertion=f"{CANARY}.a.b"
    )


@pytest.fixture
async def frontend(process: Process) -> Client:
    return await process.frontend()


@pytest.mark.parametrize("how", BadCall)
@pytest.mark.parametrize(
    "method",
    [
        "ConversationService/PostMessage",
        "ConversationService/WatchConversation",
        "CallService/AppendTranscript",
        "DeliveryService/AcknowledgeDelivery",
    ],
)
async def test_a_bad_call_is_refused_before_anything_is_done(
    process: Process, frontend: Client, how: BadCall, method: str
) -> None:
    port, keys = process.serving.server.port, process.ground.keys
    caller = Caller(port, keys, "token-identity", frontend.principal)
    async with log_unchanged(process.ground.database.engine, SERVICE):
        refusal = await caller.calls_badly(how, f"careline.conversations.v1.{method}")

    assert refusal.why == REFUSALS[how]


@pytest.mark.parametrize(
    ("why", "fields", "call"),
    [
        ((INVALID, "FIELD_INVALID"), ("address",), lambda who, _: start(who, SMS, CANARY)),
        (
            (INVALID, "FIELD_INVALID"),
            ("conversation",),
            lambda who, _: patient_says(who, CANARY, "Hi"),
        ),
        (
            (INVALID, "FIELD_INVALID"),
            ("text",),
            lambda who, name: patient_says(who, name, CANARY * 400),
        ),
        (
            (INVALID, "FIELD_INVALID"),
            ("etag",),
            lambda who, name: who.conversations.PostMessage(posting(name, etag=CANARY)),
        ),
        (
            (INVALID, "FIELD_INVALID"),
            ("request_id",),
            lambda who, name: who.conversations.PostMessage(posting(name, request=CANARY)),
        ),
        (
            ("ABORTED", "ETAG_STALE"),
            (),
            lambda who, name: who.conversations.PostMessage(posting(name, etag="0")),
        ),
        (
            (STATE, "CHANNEL_NOT_JOINED"),
            (),
            lambda who, name: patient_says(who, name, CANARY, CHAT),
        ),
        (DENIED, (), lambda who, _: patient_says(who, ABSENT, CANARY)),
        (DENIED, (), lambda who, _: get(who, ABSENT)),
        (
            ("PERMISSION_DENIED", "ASSERTION_INVALID"),
            (),
            lambda who, name: who.conversations.LinkPatient(linking(name)),
        ),
    ],
)
async def test_bad_input_is_told_by_its_reason_alone_and_changes_nothing(
    process: Process, frontend: Client, why: tuple[str, str], fields: tuple[str, ...], call: Call
) -> None:
    name = await start(frontend)
    async with log_unchanged(process.ground.database.engine, SERVICE):
        refusal = await refused(call(frontend, name))

    assert (refusal.why, refusal.fields) == (why, fields)
    assert CANARY not in refusal.text


async def test_nothing_is_said_in_a_closed_conversation_and_by_who_has_no_part_in_it(
    process: Process, frontend: Client
) -> None:
    name, stranger = await start(frontend), await process.agent()
    await close(frontend, name)
    async with log_unchanged(process.ground.database.engine, SERVICE):
        for call in (patient_says(frontend, name, CANARY), bot_says(frontend, name, CANARY)):
            refusal = await refused(call)
            assert refusal.why == (STATE, "CONVERSATION_STATE")
            assert CANARY not in refusal.text
        assert (await refused(agent_says(stranger, name, CANARY))).why == DENIED


async def test_a_watch_without_a_purpose_is_refused(process: Process) -> None:
    aimless = await process.frontend(purpose="")
    name = await start(aimless)
    async with log_unchanged(process.ground.database.engine, SERVICE):
        refusal = await refused(history(aimless, name))

    assert refusal.why == (INVALID, "PURPOSE_OF_USE_REQUIRED")
