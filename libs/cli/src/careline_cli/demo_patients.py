"""Twelve made-up patients as FHIR R4 transaction bundles: the same for the same seed and month.

Among them a child with a guardian, one who has died, one who speaks Spanish, and two who share a
phone. Phones are of the range that is set aside for fiction (555-0100 to 555-0199).
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from random import Random
from typing import Any, Final
from uuid import UUID

from faker import Faker

Resource = dict[str, Any]
SNOMED: Final = "http://snomed.info/sct"
RXNORM: Final = "http://www.nlm.nih.gov/research/umls/rxnorm"
CLINICAL_STATUS: Final = "http://terminology.hl7.org/CodeSystem/condition-clinical"
ALLERGY_STATUS: Final = "http://terminology.hl7.org/CodeSystem/allergyintolerance-clinical"
IDENTIFIER_TYPE: Final = "http://terminology.hl7.org/CodeSystem/v2-0203"
ENCOUNTER_CLASS: Final = "http://terminology.hl7.org/CodeSystem/v3-ActCode"
RELATIONSHIP: Final = "http://terminology.hl7.org/CodeSystem/v3-RoleCode"
# Ages and histories are counted from here, so that only appointments move with the calendar.
REFERENCE_DAY: Final = date(2026, 1, 1)
MRN_SYSTEM: Final = "urn:oid:2.16.840.1.113883.19.5"
CONDITIONS: Final = (
    ("44054006", "Diabetes mellitus type 2"),
    ("38341003", "Hypertensive disorder"),
    ("195967001", "Asthma"),
    ("55822004", "Hyperlipidemia"),
    ("396275006", "Osteoarthritis"),
)
MEDICATIONS: Final = (
    ("860975", "24 HR metformin hydrochloride 500 MG Extended Release Oral Tablet"),
    ("314076", "lisinopril 10 MG Oral Tablet"),
    ("745679", "200 ACTUAT albuterol 0.09 MG/ACTUAT Metered Dose Inhaler"),
    ("617312", "atorvastatin 20 MG Oral Tablet"),
    ("313782", "acetaminophen 325 MG Oral Tablet"),
)
ALLERGIES: Final = (
    ("91936005", "Allergy to penicillin"),
    ("91935009", "Allergy to peanut"),
    ("300916003", "Latex allergy"),
)
VISITS: Final = (
    ("185349003", "Encounter for check up"),
    ("185345009", "Encounter for symptom"),
    ("390906007", "Follow-up encounter"),
)


@dataclass(frozen=True, slots=True)
class Case:
    """What is particular about one of the patients."""

    age: int
    locale: str = "en_US"
    language: tuple[str, str] = ("en", "English")
    deceased: bool = False
    guardian: bool = False
    shared_phone: str = ""


CASES: Final = (
    Case(age=52),
    Case(age=34),
    Case(age=9, guardian=True),
    Case(age=81, deceased=True),
    Case(age=46, locale="es_MX", language=("es", "Spanish")),
    Case(age=67, shared_phone="+16175550142"),
    Case(age=64, shared_phone="+16175550142"),
    Case(age=29),
    Case(age=73),
    Case(age=41),
    Case(age=58),
    Case(age=22),
)


@dataclass(slots=True)
class _Maker:
    """Makes one patient's resources; every draw comes from one seeded source."""

    case: Case
    number: int
    today: date
    draw: Random
    faker: Faker
    entries: list[Resource] = field(default_factory=list)
    patient: str = ""

    def bundle(self) -> bytes:
        self.patient = self._add(self._patient())
        for resource in self._history():
            self._add(resource)
        bundle = {
            "resourceType": "Bundle",
            "type": "transaction",
            "entry": [
                {
                    "fullUrl": f"urn:uuid:{one['id']}",
                    "resource": one,
                    "request": {"method": "POST", "url": one["resourceType"]},
                }
                for one in self.entries
            ],
        }
        return json.dumps(bundle, ensure_ascii=False).encode()

    def _add(self, resource: Resource) -> str:
        """Give a resource its id and keep it; gives the reference to it."""
        identifier = UUID(int=self.draw.getrandbits(128), version=4)
        self.entries.append(
            {"resourceType": resource["resourceType"], "id": str(identifier), **resource}
        )
        return f"urn:uuid:{identifier}"

    def _patient(self) -> Resource:
        born = REFERENCE_DAY - timedelta(days=round(self.case.age * 365.25))
        gender = self.draw.choice(("female", "male"))
        given = self.faker.first_name_female if gender == "female" else self.faker.first_name_male
        language, spoken = self.case.language
        mrn = f"MRN-{self.draw.randrange(10**7, 10**8)}"
        resource = {
            "resourceType": "Patient",
            "identifier": [
                {
                    "system": MRN_SYSTEM,
                    "type": {"coding": [{"system": IDENTIFIER_TYPE, "code": "MR"}]},
                    "value": mrn,
                }
            ],
            "active": not self.case.deceased,
            "name": [
                {
                    "use": "official",
                    "family": self.faker.last_name(),
                    "given": [given(), given()],
                }
            ],
            "telecom": [
                {"system": "phone", "use": "mobile", "value": self._phone()},
                {"system": "email", "value": f"patient{self.number}@example.org"},
            ],
            "gender": gender,
            "birthDate": born.isoformat(),
            "address": [
                {
                    "line": [self.faker.street_address().splitlines()[0]],
                    "city": "Boston",
                    "state": "MA",
                    "postalCode": f"02{self.draw.randrange(108, 138)}",
                    "country": "US",
                }
            ],
            "communication": [
                {
                    "language": {
                        "coding": [
                            {"system": "urn:ietf:bcp:47", "code": language, "display": spoken}
                        ],
                        "text": spoken,
                    },
                    "preferred": True,
                }
            ],
        }
        if self.case.deceased:
            resource["deceasedDateTime"] = _instant(REFERENCE_DAY - timedelta(days=200), 4)
        return resource

    def _phone(self) -> str:
        return self.case.shared_phone or f"+1617555{100 + self.number:04d}"

    def _history(self) -> Iterator[Resource]:
        if self.case.guardian:
            yield self._guardian()
        diagnosis = self.draw.randrange(len(CONDITIONS))
        yield self._condition(*CONDITIONS[diagnosis])
        yield self._medication(*MEDICATIONS[diagnosis])
        if self.draw.random() < 1 / 2:
            yield self._allergy(*self.draw.choice(ALLERGIES))
        for years in range(3, 0, -1):
            yield self._encounter(years * 365 + self.draw.randrange(60), *self.draw.choice(VISITS))
        if not self.case.deceased:
            yield self._appointment()

    def _guardian(self) -> Resource:
        return {
            "resourceType": "RelatedPerson",
            "patient": {"reference": self.patient},
            "active": True,
            "relationship": [
                {"coding": [{"system": RELATIONSHIP, "code": "GUARD", "display": "guardian"}]}
            ],
            "name": [{"family": self.faker.last_name(), "given": [self.faker.first_name()]}],
            "telecom": [{"system": "phone", "use": "mobile", "value": "+16175550177"}],
        }

    def _condition(self, code: str, display: str) -> Resource:
        return {
            "resourceType": "Condition",
            "clinicalStatus": {"coding": [{"system": CLINICAL_STATUS, "code": "active"}]},
            "code": _concept(SNOMED, code, display),
            "subject": {"reference": self.patient},
            "onsetDateTime": _instant(REFERENCE_DAY - timedelta(days=1500), 9),
        }

    def _medication(self, code: str, display: str) -> Resource:
        return {
            "resourceType": "MedicationRequest",
            "status": "stopped" if self.case.deceased else "active",
            "intent": "order",
            "medicationCodeableConcept": _concept(RXNORM, code, display),
            "subject": {"reference": self.patient},
            "authoredOn": _instant(REFERENCE_DAY - timedelta(days=400), 10),
        }

    def _allergy(self, code: str, display: str) -> Resource:
        return {
            "resourceType": "AllergyIntolerance",
            "clinicalStatus": {"coding": [{"system": ALLERGY_STATUS, "code": "active"}]},
            "code": _concept(SNOMED, code, display),
            "patient": {"reference": self.patient},
            "recordedDate": _instant(REFERENCE_DAY - timedelta(days=1200), 11),
        }

    def _encounter(self, days_ago: int, code: str, display: str) -> Resource:
        day = REFERENCE_DAY - timedelta(days=days_ago)
        return {
            "resourceType": "Encounter",
            "status": "finished",
            "class": {"system": ENCOUNTER_CLASS, "code": "AMB"},
            "type": [_concept(SNOMED, code, display)],
            "subject": {"reference": self.patient},
            "period": {"start": _instant(day, 14), "end": _instant(day, 15)},
        }

    def _appointment(self) -> Resource:
        # The first of a month, so that a new day does not change what is on record.
        month = (self.today.replace(day=1) + timedelta(days=62)).replace(day=1)
        day = month + timedelta(days=self.draw.randrange(20))
        return {
            "resourceType": "Appointment",
            "status": "booked",
            "description": "Follow-up visit",
            "start": _instant(day, 15),
            "end": _instant(day, 16),
            "participant": [{"actor": {"reference": self.patient}, "status": "accepted"}],
        }


def demo_bundles(*, seed: int, today: date) -> list[bytes]:
    """Give one bundle a patient, as the bytes of a file."""
    draw = Random(seed)  # noqa: S311 - made-up people, no secret
    bundles = []
    for number, case in enumerate(CASES):
        faker = Faker(case.locale)
        faker.seed_instance(seed + number)
        bundles.append(_Maker(case, number, today, draw, faker).bundle())
    return bundles


def patient_name(bundle: bytes) -> str:
    """Give the full name of a bundle's patient."""
    patient = json.loads(bundle)["entry"][0]["resource"]
    name = patient["name"][0]
    return " ".join((*name["given"], name["family"]))


def _concept(system: str, code: str, display: str) -> Resource:
    return {"coding": [{"system": system, "code": code, "display": display}], "text": display}


def _instant(day: date, hour: int) -> str:
    return datetime.combine(day, time(hour), UTC).isoformat()
