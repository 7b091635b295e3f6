"""What an agent sees: by level, by consent, bound to caller and conversation, on record first."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from careline.patient_context.v1.consent_service_pb2 import (
    Consent,
    RecordConsentRequest,
    RevokeConsentRequest,
)
from careline.patient_context.v1.patient_service_pb2 import (
    GetPatientContextRequest,
    GetPatientContextResponse,
)
from eventstore.errors import LogUnavailable
from integration.patient_context.people import PHONE, brought_in, history, person
from integration.patient_context.rig import DEMO, OTHER, Process
from integration.refusals import refusal, request_id
from runtime.new_id import new_id
from runtime.tokens.caller_assertion import CallerLevel

CONVERSATION = f"conversations/{new_id()}"
DENY, PERMIT = Consent.DECISION_DENY, Consent.DECISION_PERMIT


@pytest.fixture(scope="module")
async def patient(process: Process) -> str:
    return await brought_in(await process.operator(), await process.agent(), "S-1001", *history())


async def popped(
    process: Process,
    patient: str,
    level: CallerLevel | None = CallerLevel.VERIFIED,
    *,
    tenant: str = DEMO,
    **agent: Any,  # noqa: ANN401
) -> GetPatientContextResponse:
    """Ask for the screen pop as an agent in contact with a caller of the level."""
    assertion = ""
    if level is not None:
        assertion = await process.assertion(patient, CONVERSATION, level, tenant)
    client = await process.agent(tenant=tenant, assertion=assertion, **agent)
    return await client.patients.GetPatientContext(
        GetPatientContextRequest(patient=patient, conversation=CONVERSATION)
    )


async def decided(process: Process, **consent: Any) -> str:  # noqa: ANN401
    client = await process.operator()
    answer = await client.consents.RecordConsent(
        RecordConsentRequest(request_id=request_id(), consent=Consent(**consent))
    )
    return answer.consent.name


async def taken_back(process: Process, patient: str, consent: str) -> None:
    client = await process.operator()
    await client.consents.RevokeConsent(
        RevokeConsentRequest(request_id=request_id(), patient=patient, consent=consent)
    )


async def test_a_verified_callers_agent_sees_all_but_labelled_entries(
    process: Process, patient: str
) -> None:
    answer = await popped(process, patient)
    context = answer.patient_context
    assert context.name == patient
    assert context.display_name == "José María Ordóñez"
    assert context.preferred_language == "es"
    assert list(context.phones) == [PHONE]
    assert context.medical_record_number == "S-1001"
    assert [one.display for one in context.conditions] == ["Diabetes"]
    assert [one.display for one in context.medications] == ["Metformin"]
    assert [one.display for one in context.allergies] == ["Peanuts"]
    assert context.last_encounter.display == "Visit"
    assert context.next_encounter.display == "Cardiology"
    assert answer.caller_level == "VERIFIED"
    assert list(answer.withheld) == ["labelled entries: caller level"]
    assert "Opioids" not in str(answer)


async def test_every_look_is_on_record_before_it_is_answered(
    process: Process, patient: str
) -> None:
    before = len(await process.disclosures(patient))
    answer = await popped(process, patient)
    *_, last = await process.disclosures(patient)
    assert len(await process.disclosures(patient)) == before + 1
    assert last.patient == patient
    assert last.purpose_of_use == "TREAT"
    assert last.conversation == CONVERSATION
    assert last.caller_level == "VERIFIED"
    assert {"Patient", "Condition", "MedicationRequest"} <= set(last.resource_types)
    assert last.recipient.name.startswith("agents/")
    (event,) = [one for one in await process.events() if one.stream.name == answer.disclosure]
    assert event.type.endswith("Disclosed")


async def test_a_matched_callers_agent_sees_name_language_and_the_next_date(
    process: Process, patient: str
) -> None:
    answer = await popped(process, patient, CallerLevel.MATCHED)
    context = answer.patient_context
    assert context.display_name == "José María Ordóñez"
    assert context.preferred_language == "es"
    assert context.next_encounter.start
    assert not context.next_encounter.display
    assert not context.birth_date
    assert not context.conditions
    assert "conditions: caller level" in answer.withheld


async def test_without_a_caller_of_some_level_nothing_is_told(
    process: Process, patient: str
) -> None:
    before = await process.disclosures()
    unknown = f"patients/{new_id()}"
    for name in (patient, unknown):
        assert await refusal(popped(process, name, None)) == "DISCLOSURE_REFUSED"
        anonymous = popped(process, name, CallerLevel.ANONYMOUS)
        assert await refusal(anonymous) == "DISCLOSURE_REFUSED"
    assert await refusal(popped(process, unknown)) == "DENIED_OR_ABSENT"
    assert await process.disclosures() == before


async def test_an_assertion_holds_for_its_patient_conversation_and_tenant_alone(
    process: Process, patient: str
) -> None:
    request = GetPatientContextRequest(patient=patient, conversation=CONVERSATION)
    verified = CallerLevel.VERIFIED
    elsewhere = f"conversations/{new_id()}"
    for assertion in (
        await process.assertion(f"patients/{new_id()}", CONVERSATION, verified),
        await process.assertion(patient, elsewhere, verified),
        await process.assertion(patient, CONVERSATION, verified, OTHER),
        "forged",
        (await process.assertion(patient, CONVERSATION, verified))[:-4] + "AAAA",
    ):
        client = await process.agent(assertion=assertion)
        assert await refusal(client.patients.GetPatientContext(request)) == "ASSERTION_INVALID"


async def test_who_may_not_or_says_no_fit_purpose_is_denied(process: Process, patient: str) -> None:
    assert await refusal(popped(process, patient, purpose="PATADMIN")) == "DENIED_OR_ABSENT"
    assert await refusal(popped(process, patient, purpose="")) == "PURPOSE_OF_USE_REQUIRED"
    operator = await process.operator(purpose="TREAT")
    call = operator.patients.GetPatientContext(GetPatientContextRequest(patient=patient))
    assert await refusal(call) == "DENIED_OR_ABSENT"


@pytest.mark.parametrize(
    "request_", [("patients/x y", CONVERSATION), ("agents/1", CONVERSATION), ("patients/1", "")]
)
async def test_malformed_names_are_named(process: Process, request_: tuple[str, str]) -> None:
    client = await process.agent(assertion="x")
    patient, conversation = request_
    call = client.patients.GetPatientContext(
        GetPatientContextRequest(patient=patient, conversation=conversation)
    )
    assert await refusal(call) == "FIELD_INVALID"


async def test_registration_sees_who_it_is_without_a_caller_and_that_is_on_record(
    process: Process, patient: str
) -> None:
    operator = await process.operator(purpose="PATRQT")
    answer = await operator.patients.GetPatientContext(GetPatientContextRequest(patient=patient))
    assert answer.patient_context.medical_record_number == "S-1001"
    assert not answer.patient_context.conditions
    assert answer.caller_level == ""
    *_, last = await process.disclosures(patient)
    assert (last.recipient.name, list(last.resource_types)) == ("operators/local", ["Patient"])
    registrar = await process.agent("registrar", purpose="PATADMIN")
    answer = await registrar.patients.GetPatientContext(GetPatientContextRequest(patient=patient))
    assert answer.patient_context.display_name


async def test_a_denial_counts_in_the_next_call_and_until_it_is_taken_back(
    process: Process, patient: str
) -> None:
    for _ in range(5):
        name = await decided(
            process,
            patient=patient,
            decision=DENY,
            resource_types=["MedicationRequest", "Appointment"],
        )
        answer = await popped(process, patient)
        assert not answer.patient_context.medications
        assert not answer.patient_context.HasField("next_encounter")
        assert "medications: consent" in answer.withheld
        *_, last = await process.disclosures(patient)
        assert "MedicationRequest" not in last.resource_types
        await taken_back(process, patient, name)
        assert (await popped(process, patient)).patient_context.medications


async def test_a_denial_of_all_refuses_whatever_else_is_permitted(
    process: Process, patient: str
) -> None:
    permit = await decided(process, patient=patient, decision=PERMIT)
    deny = await decided(process, patient=patient, decision=DENY, purposes_of_use=["TREAT"])
    before = await process.disclosures(patient)
    assert await refusal(popped(process, patient)) == "DISCLOSURE_REFUSED"
    assert await process.disclosures(patient) == before
    assert (await popped(process, patient, purpose="HOPERAT")).patient_context.display_name
    await taken_back(process, patient, deny)
    assert (await popped(process, patient)).patient_context.display_name
    await taken_back(process, patient, permit)


async def test_a_decision_counts_from_its_start_to_its_end(process: Process, patient: str) -> None:
    now = datetime.now(UTC)
    later = await decided(
        process, patient=patient, decision=DENY, start_time=now + timedelta(hours=1)
    )
    assert (await popped(process, patient)).patient_context.conditions
    await taken_back(process, patient, later)


async def test_labelled_entries_need_the_highest_level_and_permission(
    process: Process, patient: str
) -> None:
    high = CallerLevel.HIGH
    answer = await popped(process, patient, high)
    assert [one.display for one in answer.patient_context.conditions] == ["Diabetes"]
    assert list(answer.withheld) == ["labelled entries: consent"]
    permit = await decided(process, patient=patient, decision=PERMIT, resource_types=["Condition"])
    answer = await popped(process, patient, high)
    assert {one.display for one in answer.patient_context.conditions} == {"Diabetes", "Opioids"}
    assert len((await popped(process, patient)).patient_context.conditions) == 1
    await taken_back(process, patient, permit)


async def test_of_who_has_died_nobody_who_calls_is_told_anything(process: Process) -> None:
    operator, agent = await process.operator(), await process.agent()
    name = await brought_in(operator, agent, "S-1002")
    assert (await popped(process, name)).patient_context.display_name
    (answer,) = await operator.bring(person("S-1002", deceasedBoolean=True))
    assert answer.changed == 1
    assert await refusal(popped(process, name)) == "DISCLOSURE_REFUSED"


async def test_when_the_disclosure_can_not_be_recorded_nothing_is_disclosed(
    process: Process, patient: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def away(*_: object, **__: object) -> None:
        raise LogUnavailable("the log is away")

    log = process.serving.runtime._parts.log
    monkeypatch.setattr(log, "append", away)
    assert await refusal(popped(process, patient)) == "DEPENDENCY_UNAVAILABLE"
    monkeypatch.undo()
    assert (await popped(process, patient)).patient_context.display_name


async def test_a_decision_again_is_the_same_and_another_under_its_id_is_refused(
    process: Process, patient: str
) -> None:
    client = await process.operator()
    request = RecordConsentRequest(
        request_id=request_id(),
        consent=Consent(patient=patient, decision=DENY, purposes_of_use=["HPAYMT"]),
    )
    first = await client.consents.RecordConsent(request)
    assert await client.consents.RecordConsent(request) == first
    assert first.consent.name.startswith("consents/")
    assert first.consent.start_time.seconds
    other = RecordConsentRequest(request_id=request.request_id)
    other.consent.CopyFrom(request.consent)
    other.consent.decision = PERMIT
    assert await refusal(client.consents.RecordConsent(other)) == "REQUEST_ID_REUSED"
    await taken_back(process, patient, first.consent.name)
    await taken_back(process, patient, first.consent.name)


@pytest.mark.parametrize(
    "changes",
    [
        {"decision": Consent.DECISION_UNSPECIFIED},
        {"purposes_of_use": ["CURIOSITY"]},
        {"resource_types": ["Gossip"]},
        {"name": "consents/mine"},
        {"end_time": datetime(2020, 1, 1, tzinfo=UTC)},
        {"patient": "patients/.."},
    ],
)
async def test_a_malformed_decision_is_refused(
    process: Process, patient: str, changes: dict[str, Any]
) -> None:
    client = await process.operator()
    values: dict[str, Any] = {"patient": patient, "decision": DENY, **changes}
    consent = Consent(**values)
    call = client.consents.RecordConsent(
        RecordConsentRequest(request_id=request_id(), consent=consent)
    )
    assert await refusal(call) == "FIELD_INVALID"


async def test_decisions_are_supervisors_and_operators_to_record(
    process: Process, patient: str
) -> None:
    request = RecordConsentRequest(
        consent=Consent(patient=patient, decision=DENY, purposes_of_use=["PATADMIN"])
    )
    agent = await process.agent()
    assert await refusal(agent.consents.RecordConsent(request)) == "DENIED_OR_ABSENT"
    supervisor = await process.agent("supervisor")
    assert await refusal(supervisor.consents.RecordConsent(request)) == "REQUEST_ID_REQUIRED"
    request.request_id = request_id()
    recorded = await supervisor.consents.RecordConsent(request)
    await taken_back(process, patient, recorded.consent.name)
    request.request_id, request.consent.patient = request_id(), f"patients/{new_id()}"
    assert await refusal(supervisor.consents.RecordConsent(request)) == "DENIED_OR_ABSENT"
    unknown = RevokeConsentRequest(
        request_id=request_id(), patient=patient, consent=f"consents/{new_id()}"
    )
    assert await refusal(supervisor.consents.RevokeConsent(unknown)) == "DENIED_OR_ABSENT"
