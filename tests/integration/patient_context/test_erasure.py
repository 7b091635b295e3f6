"""An erasure destroys keys and rows, is on record before and after, and goes on after a crash."""

import asyncio
from typing import Any

import pytest
from careline.patient_context.v1.patient_service_pb2 import (
    ErasePatientRequest,
    GetPatientContextRequest,
)
from integration.patient_context.people import brought_in, found, history, person
from integration.patient_context.rig import DEMO, Client, Ground, Process, process_on
from integration.refusals import refusal, request_id
from runtime.new_id import new_id
from runtime.tokens.caller_assertion import CallerLevel
from sealing.keyring import KeyringUnavailable

TABLES = ("patient", "record_part", "consent", "patient_token", "pending_erasure")


@pytest.fixture(scope="module")
async def operator(process: Process) -> Client:
    return await process.operator()


async def _rows(ground: Ground, patient: str) -> int:
    counts = [
        await ground.rows(
            f"select count(*) as n from patient_context.{table} where patient = '{patient}'"  # noqa: S608
        )
        for table in TABLES
    ]
    return sum(int(row.n) for (row,) in counts)


async def _happened(process: Process, patient: str) -> list[str]:
    return [
        event.type.rpartition(".")[2]
        for event in await process.events()
        if event.stream.name == patient
    ]


async def _until_done(process: Process, patient: str) -> None:
    """Wait, bounded, until the service itself has finished an erasure."""
    async with asyncio.timeout(20):
        async for page in process.serving.runtime.log.subscribe(after=0):
            for event in page.events:
                if event.stream.name == patient and event.type.endswith("PatientErased"):
                    return


def _request(patient: str, **changes: Any) -> ErasePatientRequest:  # noqa: ANN401
    values = {"request_id": request_id(), "patient": patient, "reason": "PATIENT_REQUEST"}
    return ErasePatientRequest(**(values | changes))


async def test_an_erased_patient_is_gone_for_good(
    process: Process, ground: Ground, operator: Client
) -> None:
    agent = await process.agent()
    patient = await brought_in(operator, agent, "E-1", *history())
    conversation = f"conversations/{new_id()}"
    await process.keyring.link(DEMO, conversation, patient)
    await process.keyring.data_key(DEMO, conversation)
    assertion = await process.assertion(patient, conversation, CallerLevel.VERIFIED)
    looking = await process.agent(assertion=assertion)
    look = GetPatientContextRequest(patient=patient, conversation=conversation)
    assert (await looking.patients.GetPatientContext(look)).patient_context.conditions

    request = _request(patient)
    answer = await operator.patients.ErasePatient(request)

    assert answer.erase_time.seconds
    assert answer.subjects == 1
    assert await refusal(looking.patients.GetPatientContext(look)) == "PATIENT_ERASED"
    assert await found(agent, medical_record_number="E-1") == []
    assert (await _happened(process, patient))[-2:] == ["PatientErasureRequested", "PatientErased"]
    assert await _rows(ground, patient) == 0
    opened = await process.serving.runtime.codec.open(
        [event for event in await process.events() if event.stream.name == patient]
    )
    assert opened[0].erased
    assert opened[1].erased

    assert await operator.patients.ErasePatient(request) == answer
    again = await operator.patients.ErasePatient(_request(patient))
    assert (again.erase_time, again.subjects) == (answer.erase_time, answer.subjects)
    assert len(await _happened(process, patient)) == 4


async def test_an_erased_patient_does_not_come_back_by_a_file(
    process: Process, ground: Ground, operator: Client
) -> None:
    patient = await brought_in(operator, await process.agent(), "E-2")
    await operator.patients.ErasePatient(_request(patient))
    (answer,) = await operator.bring(person("E-2", birthDate="1999-09-09"))
    assert answer.changed == 0
    assert [(one.path, one.reason) for one in answer.refused] == [
        ("Bundle.entry[0].resource", "the patient was erased")
    ]
    assert await _rows(ground, patient) == 0


async def test_a_crash_between_the_steps_is_finished_by_the_service_itself(
    process: Process, operator: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    patient = await brought_in(operator, await process.agent(), "E-3", *history())

    async def away(*_: object) -> None:
        raise KeyringUnavailable("the keyring is away")

    monkeypatch.setattr(type(process.keyring), "erase", away)
    request = _request(patient)
    call = operator.patients.ErasePatient(request)
    assert await refusal(call) == "DEPENDENCY_UNAVAILABLE"
    assert (await _happened(process, patient))[-1] == "PatientErasureRequested"
    monkeypatch.undo()

    await _until_done(process, patient)
    answer = await operator.patients.ErasePatient(request)
    assert answer.erase_time.seconds
    assert (await _happened(process, patient)).count("PatientErased") == 1
    assert await found(await process.agent(), medical_record_number="E-3") == []


async def test_what_was_requested_is_forgotten_at_once(
    process: Process, operator: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    patient = await brought_in(operator, await process.agent(), "E-4")

    async def away(*_: object) -> None:
        raise KeyringUnavailable("the keyring is away")

    monkeypatch.setattr(type(process.keyring), "erase", away)
    assert await refusal(operator.patients.ErasePatient(_request(patient)))
    conversation = f"conversations/{new_id()}"
    assertion = await process.assertion(patient, conversation, CallerLevel.VERIFIED)
    looking = await process.agent(assertion=assertion)
    call = looking.patients.GetPatientContext(
        GetPatientContextRequest(patient=patient, conversation=conversation)
    )
    assert await refusal(call) == "PATIENT_ERASED"
    monkeypatch.undo()
    await _until_done(process, patient)


async def test_who_is_unknown_or_anothers_is_denied(process: Process, operator: Client) -> None:
    unknown = _request(f"patients/{new_id()}")
    assert await refusal(operator.patients.ErasePatient(unknown)) == "DENIED_OR_ABSENT"
    patient = await brought_in(operator, await process.agent(), "E-5")
    other = await process.operator("other")
    assert await refusal(other.patients.ErasePatient(_request(patient))) == "DENIED_OR_ABSENT"
    for client in (await process.agent(), await process.agent("supervisor")):
        assert await refusal(client.patients.ErasePatient(_request(patient))) == "DENIED_OR_ABSENT"


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"request_id": ""}, "REQUEST_ID_REQUIRED"),
        ({"request_id": "x"}, "FIELD_INVALID"),
        ({"reason": "BOREDOM"}, "FIELD_INVALID"),
        ({"patient": "patients/"}, "FIELD_INVALID"),
    ],
)
async def test_a_malformed_erasure_is_refused(
    operator: Client, changes: dict[str, Any], reason: str
) -> None:
    request = _request(**({"patient": f"patients/{new_id()}"} | changes))
    assert await refusal(operator.patients.ErasePatient(request)) == reason


async def test_without_a_stream_erasures_and_consents_say_so(ground: Ground) -> None:
    async with process_on(ground, replicated=False) as alone:
        operator = await alone.operator()
        patient = await brought_in(operator, await alone.agent(), "E-6")
        call = operator.patients.ErasePatient(_request(patient))
        assert await refusal(call) == "DEPENDENCY_UNAVAILABLE"
        assert await _happened(alone, patient) == ["PatientRegistered"]
