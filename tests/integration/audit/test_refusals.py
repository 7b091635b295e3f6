"""What audit refuses, by which code and reason, and that nothing comes of it."""

from typing import Any

import pytest
from careline.audit.v1 import audit_service_pb2 as pb2
from careline.log.events.v1.events_pb2 import AccessRefused, LogRead
from careline.log.v1.log_service_pb2 import ReadLogRequest
from google.protobuf.message import Message
from google.protobuf.timestamp_pb2 import Timestamp
from integration.audit.rig import DEMO, OTHER, Client, Ground, Process, patient_name
from integration.bad_calls import REFUSALS, REFUSED, BadCall, refused
from runtime.outgoing import CallFor
from runtime.paging import page_token
from runtime.purpose_of_use import PurposeOfUse
from runtime.request_context import RequestContext, acting_in

CANARY = "Jane Doe 1985"
INVALID = "INVALID_ARGUMENT"
DENIED = ("PERMISSION_DENIED", "DENIED_OR_ABSENT")
NO_TIME = Timestamp(seconds=2**62)


@pytest.mark.parametrize("how", BadCall)
@pytest.mark.parametrize("method", ["ListAccesses", "ListActions", "GetCoverage"])
async def test_a_bad_call_is_refused_before_anything_is_done(
    process: Process, auditor: Client, how: BadCall, method: str
) -> None:
    async with process.unchanged():
        refusal = await process.caller(auditor.principal).calls_badly(
            how, f"careline.audit.v1.AuditService/{method}"
        )

    assert refusal.why == REFUSALS[how]


@pytest.mark.parametrize(
    ("field", "query"),
    [
        ("patient", {}),
        ("patient", {"patient": CANARY}),
        ("patient", {"patient": "agents/1"}),
        ("patient", {"patient": "patients/\0"}),
        ("recipient", {"recipient": CANARY}),
        ("recipient", {"recipient": "agents/" + "x" * 65}),
        ("start_time", {"patient": "patients/1", "start_time": NO_TIME}),
        ("end_time", {"patient": "patients/1", "end_time": NO_TIME}),
        (
            "end_time",
            {"patient": "patients/1", "start_time": Timestamp(seconds=5), "end_time": Timestamp()},
        ),
        ("page_size", {"patient": "patients/1", "page_size": -1}),
        ("at_least_service", {"patient": "patients/1", "at_least": 1}),
        (
            "at_least_service",
            {"patient": "patients/1", "at_least": 1, "at_least_service": "audit"},
        ),
    ],
)
async def test_a_malformed_field_is_named_and_not_repeated(
    auditor: Client, field: str, query: dict[str, Any]
) -> None:
    refusal = await refused(auditor.accesses(**query))

    assert (refusal.why, refusal.fields) == ((INVALID, "FIELD_INVALID"), (field,))
    assert CANARY not in refusal.text


@pytest.mark.parametrize(
    ("field", "query"),
    [
        ("stream", {"stream": CANARY}),
        ("stream", {"stream": "conversations/\0"}),
        ("actor", {"actor": CANARY}),
        ("trace_id", {"trace_id": CANARY}),
        ("trace_id", {"trace_id": "A" * 32}),
        ("start_time", {"start_time": NO_TIME}),
        ("end_time", {"end_time": NO_TIME}),
        ("page_size", {"page_size": -1}),
    ],
)
async def test_a_malformed_field_of_a_list_of_actions_is_named_and_not_repeated(
    auditor: Client, field: str, query: dict[str, Any]
) -> None:
    refusal = await refused(auditor.actions(**query))

    assert (refusal.why, refusal.fields) == ((INVALID, "FIELD_INVALID"), (field,))
    assert CANARY not in refusal.text


@pytest.mark.parametrize(
    "place",
    [
        ("not a time", "routing", "1", "1"),
        ("2026-03-02T12:00:00", "routing", "1", "1"),
        ("2026-03-02T12:00:00+00:00", "routing", "one", "1"),
        ("2026-03-02T12:00:00+00:00", "routing", "1", str(2**63)),
        ("2026-03-02T12:00:00+00:00", "rou\0ting", "1", "1"),
        ("2026-03-02T12:00:00+00:00", "routing", "1"),
    ],
)
async def test_a_page_token_that_a_caller_made_himself_is_refused(
    auditor: Client, place: tuple[str, ...]
) -> None:
    query = pb2.ListActionsRequest()
    query.page_token = made_up(auditor, query, place)

    refusal = await refused(auditor.audit.ListActions(query))

    assert refusal.why == (INVALID, "PAGE_TOKEN_INVALID")


def made_up(caller: Client, query: Message, place: tuple[str, ...]) -> str:
    """Make a token by the rule that anybody can read in the source."""
    context = RequestContext(
        action="audit.listActions",
        method="careline.audit.v1.AuditService/ListActions",
        principal=caller.principal,
        tenant=DEMO,
        purpose=PurposeOfUse.HCOMPL,
        deadline=0,
        correlation_id="",
    )
    with acting_in(context):
        return page_token(query, place)


async def test_only_auditors_and_operators_read_the_trail_and_who_tried_is_remembered(
    process: Process,
) -> None:
    denied = [
        await process.agent(),
        await process.agent("supervisor"),
        await process.frontend(),
        await process.service("identity"),
    ]
    before = len(await refusals(process))
    async with process.unchanged():
        for who in denied:
            assert (await refused(who.accesses(patient=patient_name()))).why == DENIED
            assert (await refused(who.actions())).why == DENIED
            assert (await refused(who.coverage())).why == DENIED
    assert await (await process.operator()).actions(page_size=1) is not None

    remembered = [(one.principal.name, one.action) for one in (await refusals(process))[before:]]
    assert remembered == [
        (who.principal.name, f"audit.{action}")
        for who in denied
        for action in ("listAccesses", "listActions", "getCoverage")
    ]


async def test_a_caller_is_denied_before_his_request_is_looked_at(process: Process) -> None:
    agent = await process.agent()

    assert (await refused(agent.accesses(patient=CANARY, page_size=-1))).why == DENIED


async def test_an_operator_can_not_name_a_tenant_that_is_not_his(process: Process) -> None:
    operator = await process.operator()
    stranger = await process.client(operator.principal, CallFor(tenant=OTHER))

    assert (await refused(stranger.actions())).why == DENIED


async def test_a_purpose_of_use_that_nobody_knows_is_refused(
    process: Process, auditor: Client
) -> None:
    curious = await process.client(auditor.principal, CallFor(purpose="WHIM"))

    assert (await refused(curious.actions())).why == (INVALID, "PURPOSE_OF_USE_INVALID")


async def test_who_reads_audits_own_log_is_on_record_in_it(
    process: Process, ground: Ground
) -> None:
    fact = await ground.happens("routing")
    await process.entries_of(fact)
    operator = await process.operator()
    pages = [page async for page in operator.log.ReadLog(ReadLogRequest())]
    reads = [one for one in await process.log() if one.type == LogRead.DESCRIPTOR.full_name]

    assert pages[-1].head_position > 0
    assert LogRead.FromString(reads[-1].data).reader.name == operator.principal.name
    assert {event.tenant for page in pages for event in page.events} == {DEMO}


async def refusals(process: Process) -> list[AccessRefused]:
    log = process.serving.runtime.log
    return [AccessRefused.FromString(one.data) async for one in log.read_log(types={REFUSED})]
