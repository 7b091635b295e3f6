from typing import Any

import pytest
from patient_context.adapters.fhir.clinical import EntryRead
from patient_context.adapters.fhir.not_fhir import NotFhir
from patient_context.adapters.fhir.resource import read_resource
from unit.patient_context.fhir import NOW, Json, as_entry, concept, condition

TERMINOLOGY = "http://terminology.hl7.org/CodeSystem"
ABOUT = {"reference": "Patient/p1"}


def medication(**changes: Any) -> Json:  # noqa: ANN401
    return {
        "resourceType": "MedicationRequest",
        "status": "active",
        "intent": "order",
        "medicationCodeableConcept": concept("http://rx", "1", "Metformin"),
        "subject": ABOUT,
        "authoredOn": "2025-01-02",
        **changes,
    }


def appointment(**changes: Any) -> Json:  # noqa: ANN401
    return {
        "resourceType": "Appointment",
        "status": "booked",
        "description": "Discussion of results",
        "start": "2026-12-10T09:00:00Z",
        "end": "2026-12-10T09:30:00Z",
        "participant": [{"actor": ABOUT, "status": "accepted"}],
        **changes,
    }


def encounter(**changes: Any) -> Json:  # noqa: ANN401
    return {
        "resourceType": "Encounter",
        "status": "finished",
        "class": {"system": f"{TERMINOLOGY}/v3-ActCode", "code": "AMB", "display": "ambulatory"},
        "subject": ABOUT,
        "period": {"start": "2025-01-02", "end": "2025-01-02"},
        **changes,
    }


def allergy(**changes: Any) -> Json:  # noqa: ANN401
    return {
        "resourceType": "AllergyIntolerance",
        "clinicalStatus": concept(f"{TERMINOLOGY}/allergyintolerance-clinical", "active"),
        "code": concept("http://snomed.info/sct", "91935009", "Peanuts"),
        "patient": ABOUT,
        **changes,
    }


def test_a_condition_keeps_code_words_status_and_dates() -> None:
    entry = as_entry(condition(onsetDateTime="1970-11-03", abatementDateTime="1971"))
    assert (entry.resource_type, entry.resource_id) == ("Condition", "c1")
    assert (entry.code, entry.display) == ("http://snomed.info/sct|44054006", "Diabetes")
    assert (entry.status, entry.start, entry.end) == ("active", "1970-11-03", "1971")


def test_security_labels_are_kept() -> None:
    labels = [{"system": f"{TERMINOLOGY}/v3-ActCode", "code": "42CFRPart2"}]
    assert list(as_entry(condition(meta={"security": labels})).security_labels) == ["42CFRPart2"]


def test_each_kind_is_reduced_to_what_a_screen_pop_shows() -> None:
    assert as_entry(medication()).display == "Metformin"
    assert as_entry(encounter()).display == "ambulatory"
    assert as_entry(allergy()).status == "active"
    booked = as_entry(appointment())
    assert (booked.display, booked.start) == ("Discussion of results", "2026-12-10T09:00:00Z")


def test_a_medication_may_be_contained_or_named_by_its_reference() -> None:
    drug = {"resourceType": "Medication", "id": "m", "code": concept("http://rx", "2", "Axid")}
    by_reference = medication(contained=[drug], medicationReference={"reference": "#m"})
    del by_reference["medicationCodeableConcept"]
    assert as_entry(by_reference).code == "http://rx|2"
    by_reference["medicationReference"] = {"reference": "Medication/7", "display": "Axid 15"}
    assert as_entry(by_reference).display == "Axid 15"
    by_reference["medicationReference"] = {"reference": "Medication/7"}
    with pytest.raises(NotFhir, match="neither contained nor named in words"):
        as_entry(by_reference)


@pytest.mark.parametrize(
    "untrue",
    [
        condition(
            verificationStatus=concept(f"{TERMINOLOGY}/condition-ver-status", "entered-in-error")
        ),
        allergy(
            verificationStatus=concept(f"{TERMINOLOGY}/allergyintolerance-verification", "refuted")
        ),
        medication(status="entered-in-error"),
        medication(doNotPerform=True),
        encounter(status="entered-in-error"),
        appointment(status="entered-in-error"),
    ],
)
def test_what_says_of_itself_that_it_is_not_so_is_only_counted(untrue: Json) -> None:
    assert read_resource(untrue, None, NOW).content is None


@pytest.mark.parametrize(
    ("resource", "path"),
    [
        (condition(clinicalStatus=concept("http://else", "active")), "Condition.clinicalStatus"),
        (condition(subject=None), "Condition.subject"),
        (condition(onsetDateTime="yesterday"), "Condition.onsetDateTime"),
        (medication(status="eaten"), "MedicationRequest.status"),
        (medication(intent=None), "MedicationRequest.intent"),
        (encounter(status="bogus"), "Encounter.status"),
        (encounter(period={"start": "2025-01-02T10:00"}), "Encounter.period.start"),
        (appointment(status="bogus"), "Appointment.status"),
        (appointment(start="2026-12-10"), "Appointment.start"),
        (appointment(participant=[{"status": "maybe", "actor": ABOUT}]), "Appointment.participant"),
    ],
)
def test_wrong_codes_and_dates_are_named(resource: Json, path: str) -> None:
    with pytest.raises(NotFhir) as refused:
        as_entry({name: value for name, value in resource.items() if value is not None})
    assert refused.value.path.startswith(path)


@pytest.mark.parametrize("missing", [["start"], ["end"], ["start", "end"]])
def test_a_booked_appointment_has_begin_and_end(missing: list[str]) -> None:
    booked = appointment()
    for field in missing:
        del booked[field]
    with pytest.raises(NotFhir, match="app-"):
        as_entry(booked)


def test_an_appointment_is_about_its_patients_who_did_not_decline() -> None:
    participants = [
        {"actor": ABOUT, "status": "accepted"},
        {"actor": {"reference": "Patient/p2"}, "status": "declined"},
        {"actor": {"reference": "Practitioner/9"}, "status": "accepted"},
        {"status": "needs-action"},
    ]
    read = read_resource(appointment(participant=participants), None, NOW).content
    assert isinstance(read, EntryRead)
    assert read.about == (("Patient/p1", "Appointment.participant[0].actor"),)


def test_what_is_about_a_group_is_about_nobody_here() -> None:
    read = read_resource(condition(subject={"reference": "Group/1"}), None, NOW).content
    assert isinstance(read, EntryRead)
    assert read.about == ()
