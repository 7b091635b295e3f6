"""FHIR resources for tests, and how they are read."""

import json
from datetime import UTC, datetime
from typing import Any

from careline.patient_context.events.v1.events_pb2 import ClinicalEntry
from patient_context.adapters.fhir.bundle_file import BundleFile
from patient_context.adapters.fhir.clinical import EntryRead
from patient_context.adapters.fhir.patient import PatientRead
from patient_context.adapters.fhir.patients import Joined
from patient_context.adapters.fhir.resource import read_resource

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
Json = dict[str, Any]


def patient(**changes: Any) -> Json:  # noqa: ANN401
    """A Patient with a record number, on which a test changes what it is about."""
    return {
        "resourceType": "Patient",
        "id": "p1",
        "identifier": [record_number("4711")],
        "name": [{"use": "official", "family": "Ordóñez", "given": ["José María"]}],
        "birthDate": "1972-03-03",
        **changes,
    }


def record_number(value: str) -> Json:
    kind = {"system": "http://terminology.hl7.org/CodeSystem/v2-0203", "code": "MR"}
    return {"type": {"coding": [kind]}, "system": "http://hospital.example", "value": value}


def concept(system: str, code: str, display: str = "") -> Json:
    coding = {"system": system, "code": code}
    return {"coding": [{**coding, "display": display} if display else coding]}


def condition(**changes: Any) -> Json:  # noqa: ANN401
    terminology = "http://terminology.hl7.org/CodeSystem"
    return {
        "resourceType": "Condition",
        "id": "c1",
        "clinicalStatus": concept(f"{terminology}/condition-clinical", "active"),
        "code": concept("http://snomed.info/sct", "44054006", "Diabetes"),
        "subject": {"reference": "Patient/p1"},
        **changes,
    }


def bundle(*resources: Json, kind: str = "transaction") -> Json:
    return {
        "resourceType": "Bundle",
        "type": kind,
        "entry": [
            {"fullUrl": f"https://ehr.example/{one['resourceType']}/{number}", "resource": one}
            for number, one in enumerate(resources)
        ],
    }


def as_patient(resource: Json) -> PatientRead:
    read = read_resource(resource, None, NOW).content
    assert isinstance(read, PatientRead)
    return read


def as_entry(resource: Json) -> ClinicalEntry:
    read = read_resource(resource, None, NOW).content
    assert isinstance(read, EntryRead)
    return read.entry


def taken(value: Json | bytes, part: int = 1 << 20) -> tuple[BundleFile, list[Joined]]:
    """Feed a file in parts and join it."""
    content = value if isinstance(value, bytes) else json.dumps(value).encode()
    file = BundleFile(0, NOW)
    for begin in range(0, max(len(content), 1), part):
        for _ in file.feed(content[begin : begin + part], last=begin + part >= len(content)):
            continue
    return file, list(file.join())
