"""What patient_context refuses: each by its code and reason, telling and changing nothing."""

from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from careline.patient_context.v1.consent_service_pb2 import RevokeConsentRequest
from careline.patient_context.v1.patient_service_pb2 import (
    ErasePatientRequest,
    FindPatientsRequest,
    GetPatientContextRequest,
)
from integration.bad_calls import REFUSALS, BadCall, Caller, log_unchanged, refused
from integration.patient_context.rig import DEMO, SERVICE, Client, Process
from integration.refusals import request_id
from runtime.principal import Principal, PrincipalKind
from runtime.tokens.caller_assertion import CallerLevel

CANARY = "Jane Doe 1985"
ABSENT = "01970000-0000-7000-8000-000000000000"
PATIENT, CONVERSATION = f"patients/{ABSENT}", f"conversations/{ABSENT}"
INVALID = "INVALID_ARGUMENT"
MALFORMED = (INVALID, "FIELD_INVALID")
DENIED = ("PERMISSION_DENIED", "DENIED_OR_ABSENT")
Call = Callable[[Client], Awaitable[Any]]
AGENT = Principal(
    PrincipalKind.AGENT,
    "agents/1",
    frozenset({DEMO}),
    roles=frozenset({"agent"}),
    session=ABSENT,
)
OPERATOR = Principal(PrincipalKind.OPERATOR, "operators/local", frozenset({DEMO}))


def finding(phone: str = "", person_name: str = "", birth_date: str = "") -> Call:
    return lambda who: who.patients.FindPatients(
        FindPatientsRequest(phone=phone, person_name=person_name, birth_date=birth_date)
    )


def popping(patient: str = PATIENT, conversation: str = CONVERSATION) -> Call:
    return lambda who: who.patients.GetPatientContext(
        GetPatientContextRequest(patient=patient, conversation=conversation)
    )


@pytest.mark.parametrize("how", BadCall)
@pytest.mark.parametrize(
    ("method", "key", "principal"),
    [
        ("PatientService/GetPatientContext", "token-identity", AGENT),
        ("PatientService/FindPatients", "token-identity", AGENT),
        ("ConsentService/RecordConsent", "token-operator", OPERATOR),
        ("IngestService/IngestResources", "token-operator", OPERATOR),
    ],
)
async def test_a_bad_call_is_refused_before_anything_is_done(
    process: Process, how: BadCall, method: str, key: str, principal: Principal
) -> None:
    caller = Caller(process.serving.server.port, process.ground.keys, key, principal)
    async with log_unchanged(process.ground.database.engine, SERVICE):
        refusal = await caller.calls_badly(how, f"careline.patient_context.v1.{method}")

    assert refusal.why == REFUSALS[how]


@pytest.mark.parametrize(
    ("why", "field", "call"),
    [
        (MALFORMED, "phone", finding(phone=f"{CANARY}, no phone")),
        (MALFORMED, "phone", finding(phone="911")),
        (MALFORMED, "birth_date", finding(person_name=CANARY, birth_date="1/2/1985")),
        ((INVALID, "SEARCH_TOO_BROAD"), "", finding(person_name=CANARY)),
        (MALFORMED, "patient", popping(patient=CANARY)),
        (MALFORMED, "conversation", popping(conversation=CANARY)),
    ],
)
async def test_bad_input_of_an_agent_is_told_by_its_reason_alone_and_changes_nothing(
    process: Process, why: tuple[str, str], field: str, call: Call
) -> None:
    agent = await process.agent()
    async with log_unchanged(process.ground.database.engine, SERVICE):
        refusal = await refused(call(agent))

    assert (refusal.why, refusal.fields) == (why, (field,) if field else ())
    assert CANARY not in refusal.text


async def test_an_unknown_patient_a_forged_assertion_and_no_purpose_disclose_nothing(
    process: Process,
) -> None:
    assertion = await process.assertion(PATIENT, CONVERSATION, CallerLevel.VERIFIED)
    forged = await process.agent(assertion=f"{assertion[:-8]}AAAAAAAA")
    verified = await process.agent(assertion=assertion)
    aimless = await process.agent(purpose="", assertion=assertion)
    async with log_unchanged(process.ground.database.engine, SERVICE):
        whys = [(await refused(popping()(who))).why for who in (forged, verified, aimless)]

    assert whys == [
        ("PERMISSION_DENIED", "ASSERTION_INVALID"),
        DENIED,
        (INVALID, "PURPOSE_OF_USE_REQUIRED"),
    ]


async def test_unknown_ids_of_an_operator_are_denied_or_absent(process: Process) -> None:
    operator = await process.operator()
    erasing = ErasePatientRequest(
        request_id=request_id(), patient=PATIENT, reason="PATIENT_REQUEST"
    )
    revoking = RevokeConsentRequest(
        request_id=request_id(), patient=PATIENT, consent=f"consents/{ABSENT}"
    )
    async with log_unchanged(process.ground.database.engine, SERVICE):
        assert (await refused(operator.patients.ErasePatient(erasing))).why == DENIED
        assert (await refused(operator.consents.RevokeConsent(revoking))).why == DENIED


async def test_a_bundle_that_is_no_fhir_is_refused_by_its_path_and_changes_nothing(
    process: Process,
) -> None:
    operator = await process.operator()
    files = [
        CANARY.encode(),
        b'{"resourceType": "Bundle"',
        b'{"resourceType": "%b"}' % CANARY.encode(),
        b'{"resourceType": "Bundle", "type": "transaction", "entry": "%b"}' % CANARY.encode(),
    ]
    async with log_unchanged(process.ground.database.engine, SERVICE):
        answers = await operator.bring(*files)

    assert [(one.patients, one.changed, len(one.refused)) for one in answers] == [(0, 0, 1)] * 4
    assert all(one.refused[0].reason for one in answers)
    assert CANARY not in str(answers)
