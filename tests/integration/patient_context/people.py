"""Patients that tests bring in, and how they are found again."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any

from careline.patient_context.v1.patient_service_pb2 import FindPatientsRequest
from integration.patient_context.rig import Client
from unit.patient_context.fhir import Json, bundle, concept, condition, patient, record_number

PHONE = "+16175550123"
DAY = timedelta(days=1)


def person(number: str, *more: Json, **changes: Any) -> bytes:  # noqa: ANN401
    """A bundle of a patient of this record number, with what else is about the patient."""
    content = patient(
        identifier=[record_number(number)],
        telecom=[{"system": "phone", "use": "mobile", "value": PHONE}],
        gender="male",
        communication=[{"language": concept("urn:ietf:bcp:47", "es"), "preferred": True}],
        address=[{"line": ["548 Corwin Ferry"], "city": "Boston", "postalCode": "02108"}],
        **changes,
    )
    return json.dumps(bundle(content, *more)).encode()


def history() -> list[Json]:
    """A condition, a labelled one, a medication, an allergy, a visit, and one to come."""
    terminology = "http://terminology.hl7.org/CodeSystem"
    about = {"reference": "Patient/p1"}
    now = datetime.now(UTC)
    part2 = {"security": [{"system": f"{terminology}/v3-ActCode", "code": "42CFRPart2"}]}
    start, end = (now + 6 * DAY).isoformat(), (now + 6 * DAY + timedelta(minutes=30)).isoformat()
    return [
        condition(),
        condition(
            id="c2", code=concept("http://snomed.info/sct", "5602001", "Opioids"), meta=part2
        ),
        {
            "resourceType": "MedicationRequest",
            "id": "m1",
            "status": "active",
            "intent": "order",
            "medicationCodeableConcept": concept("http://rx", "1", "Metformin"),
            "subject": about,
        },
        {
            "resourceType": "AllergyIntolerance",
            "id": "a1",
            "clinicalStatus": concept(f"{terminology}/allergyintolerance-clinical", "active"),
            "code": concept("http://snomed.info/sct", "91935009", "Peanuts"),
            "patient": about,
        },
        {
            "resourceType": "Encounter",
            "id": "e1",
            "status": "finished",
            "class": {"system": f"{terminology}/v3-ActCode", "code": "AMB", "display": "Visit"},
            "subject": about,
            "period": {"start": (now - 9 * DAY).isoformat(), "end": (now - 9 * DAY).isoformat()},
        },
        {
            "resourceType": "Appointment",
            "id": "b1",
            "status": "booked",
            "description": "Cardiology",
            "start": start,
            "end": end,
            "participant": [{"actor": about, "status": "accepted"}],
        },
    ]


async def found(client: Client, **asked: Any) -> list[str]:  # noqa: ANN401
    """Give the names of those whom a search shows."""
    answer = await client.patients.FindPatients(FindPatientsRequest(**asked))
    return [one.name for one in answer.patients]


async def brought_in(operator: Client, agent: Client, number: str, *more: Json) -> str:
    """Bring a patient in and give the patient's name."""
    (answer,) = await operator.bring(person(number, *more))
    assert (answer.patients, answer.changed, list(answer.refused)) == (1, 1, [])
    (name,) = await found(agent, medical_record_number=number)
    return name
