"""Reads FHIR R4 Patients as candidates of matching."""

import json
from pathlib import Path
from typing import Any

from identity.domain.matching import Address, Candidate, PersonName


def candidates_of(file: Path) -> dict[str, Candidate]:
    """Candidates by FHIR id."""
    with file.open() as lines:
        patients = [json.loads(line) for line in lines]
    return {patient["id"]: candidate_of(patient) for patient in patients}


def candidate_of(patient: dict[str, Any]) -> Candidate:
    return Candidate(
        patient=f"patients/{patient['id']}",
        names=tuple(
            PersonName(name["family"], tuple(name.get("given", ()))) for name in patient["name"]
        ),
        birth_date=patient["birthDate"],
        addresses=tuple(
            Address(tuple(address["line"]), address.get("postalCode", ""))
            for address in patient["address"]
        ),
        phones=tuple(
            telecom["value"] for telecom in patient["telecom"] if telecom["system"] == "phone"
        ),
        record_numbers=tuple(
            identifier["value"]
            for identifier in patient["identifier"]
            for coding in identifier.get("type", {}).get("coding", ())
            if coding["code"] == "MR"
        ),
        deceased="deceasedDateTime" in patient or patient.get("deceasedBoolean", False),
    )
