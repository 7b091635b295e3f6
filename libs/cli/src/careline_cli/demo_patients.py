"""Twelve made-up patients with histories, as FHIR R4 transaction bundles.

The same seed and day give the same bytes. Who they are depends on the seed alone, so that bundles
of another day bring the same patients with later histories. Phones are of the range that is kept
free for fiction (+1 area 555-0100 to 0199), e-mails of example.org.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta, timezone
from random import Random
from typing import Any, Final
from uuid import UUID

from faker import Faker

Json = dict[str, Any]

_MRN_SYSTEM: Final = "http://mrn.example.org"
_TERMINOLOGY: Final = "http://terminology.hl7.org/CodeSystem"
_SNOMED: Final = "http://snomed.info/sct"
_RXNORM: Final = "http://www.nlm.nih.gov/research/umls/rxnorm"
_ZONE: Final = timezone(timedelta(hours=-5))
_PART_2: Final = {"system": f"{_TERMINOLOGY}/v3-ActCode", "code": "42CFRPart2"}
_AGES: Final = 2025
_SHARED_PHONE: Final = "+16175550150"


@dataclass(frozen=True, slots=True)
class Coded:
    """A code and what it says."""

    code: str
    display: str


HYPERTENSION: Final = Coded("59621000", "Essential hypertension (disorder)")
DIABETES: Final = Coded("44054006", "Diabetes mellitus type 2 (disorder)")
ASTHMA: Final = Coded("195967001", "Asthma")
CHILD_ASTHMA: Final = Coded("233678006", "Childhood asthma")
LIPIDS: Final = Coded("55822004", "Hyperlipidemia")
KNEE: Final = Coded("239873007", "Osteoarthritis of knee")
OPIOIDS: Final = Coded("5602001", "Opioid abuse (disorder)")
BRONCHITIS: Final = Coded("10509002", "Acute bronchitis (disorder)")

LISINOPRIL: Final = Coded("314076", "lisinopril 10 MG Oral Tablet")
METFORMIN: Final = Coded(
    "860975", "24 HR Metformin hydrochloride 500 MG Extended Release Oral Tablet"
)
ALBUTEROL: Final = Coded("745679", "200 ACTUAT Albuterol 0.09 MG/ACTUAT Metered Dose Inhaler")
SIMVASTATIN: Final = Coded("314231", "Simvastatin 10 MG Oral Tablet")
IBUPROFEN: Final = Coded("310965", "Ibuprofen 200 MG Oral Tablet")
ACETAMINOPHEN: Final = Coded("313782", "Acetaminophen 325 MG Oral Tablet")

PENICILLIN: Final = Coded("91936005", "Allergy to penicillin")
PEANUTS: Final = Coded("91935009", "Allergy to peanuts")
LATEX: Final = Coded("300916003", "Latex allergy")
POLLEN: Final = Coded("419263009", "Allergy to tree pollen")

CHECK_UP: Final = Coded("185349003", "Encounter for check up (procedure)")
FOLLOW_UP: Final = Coded("390906007", "Follow-up encounter (procedure)")
WELL_CHILD: Final = Coded("410620009", "Well child visit (procedure)")


@dataclass(frozen=True, slots=True)
class History:
    """What a patient has, takes, can not stand, and comes in for; `days` until the next visit."""

    conditions: tuple[Coded, ...] = ()
    past_conditions: tuple[Coded, ...] = ()
    medications: tuple[Coded, ...] = ()
    past_medications: tuple[Coded, ...] = ()
    allergies: tuple[Coded, ...] = ()
    visit: Coded = CHECK_UP
    days: int | None = None
    labelled: tuple[Coded, ...] = ()


@dataclass(frozen=True, slots=True)
class Sketch:
    """One of the twelve. `age` in years at the end of _AGES; `died` so many days ago."""

    gender: str
    age: int
    history: History
    language: str = "en"
    phone: str = ""
    maiden_name: bool = False
    guardian: str = ""
    died: int | None = None


_SKETCHES: Final = (
    Sketch(
        "female",
        52,
        History(
            (HYPERTENSION, DIABETES), (BRONCHITIS,), (LISINOPRIL, METFORMIN), (IBUPROFEN,),
            (PENICILLIN,), FOLLOW_UP, 6,
        ),
    ),
    Sketch(
        "male",
        9,
        History((CHILD_ASTHMA,), (), (ALBUTEROL,), (), (PEANUTS,), WELL_CHILD, 20),
        guardian="MTH",
    ),
    Sketch("male", 81, History((HYPERTENSION, LIPIDS), (), (LISINOPRIL, SIMVASTATIN)), died=420),
    Sketch(
        "female",
        38,
        History((ASTHMA,), (), (ALBUTEROL,), (), (POLLEN,), CHECK_UP, 11),
        language="es",
    ),
    Sketch(
        "female",
        67,
        History((KNEE, HYPERTENSION), (), (LISINOPRIL, ACETAMINOPHEN), (), (), FOLLOW_UP, 3),
        phone=_SHARED_PHONE,
        maiden_name=True,
    ),
    Sketch(
        "male",
        69,
        History((LIPIDS,), (BRONCHITIS,), (SIMVASTATIN,), (), (LATEX,), CHECK_UP, 31),
        phone=_SHARED_PHONE,
    ),
    Sketch("male", 44, History((HYPERTENSION,), (), (LISINOPRIL,), labelled=(OPIOIDS,), days=9)),
    Sketch("female", 29, History((), (BRONCHITIS,), (), (ACETAMINOPHEN,), (PENICILLIN,))),
    Sketch("male", 33, History((ASTHMA,), (), (ALBUTEROL,), (IBUPROFEN,), (), CHECK_UP, 45)),
    Sketch("female", 75, History((DIABETES, KNEE), (), (METFORMIN,), (), (), FOLLOW_UP, 14)),
    Sketch("male", 58, History((DIABETES, LIPIDS), (), (METFORMIN, SIMVASTATIN), days=2)),
    Sketch("female", 21, History(allergies=(LATEX, POLLEN))),
)  # fmt: skip


def demo_bundles(*, seed: int, today: date) -> tuple[bytes, ...]:
    """Make one bundle a patient, in UTF-8. The first is an adult who speaks English, has a mobile
    phone and an appointment to come. The second is a child with a guardian, the third has died, the
    fourth speaks Spanish, the fifth and the sixth share a phone, and the seventh has a diagnosis
    that a security label restricts.
    """
    return tuple(
        json.dumps(_Author(seed, number, sketch, today).bundle(), ensure_ascii=False).encode()
        for number, sketch in enumerate(_SKETCHES)
    )


class _Author:
    """Writes one patient's bundle."""

    def __init__(self, seed: int, number: int, sketch: Sketch, today: date) -> None:
        self._number = number
        self._sketch = sketch
        self._today = today
        self._random = Random(f"{seed}/{number}")  # noqa: S311  made-up, not secret
        self._faker = Faker("es_MX" if sketch.language == "es" else "en_US")
        self._faker.seed_instance(self._random.randrange(1 << 32))
        self._url = self._new_url()
        self._patient = {"reference": self._url}
        self._entries: list[Json] = []

    def bundle(self) -> Json:
        history = self._sketch.history
        self._add_patient()
        if self._sketch.guardian:
            self._add_guardian()
        self._add_visits()
        for years, condition in enumerate(history.conditions, start=2):
            self._add_condition(condition, years)
        for condition in history.past_conditions:
            self._add_condition(condition, 5, ended=True)
        for condition in history.labelled:
            self._add_condition(condition, 3, security=[_PART_2])
        for medication in history.medications:
            self._add_medication(medication, "active")
        for medication in history.past_medications:
            self._add_medication(medication, "completed")
        for allergy in history.allergies:
            self._add_allergy(allergy)
        if history.days is not None:
            self._add_appointment(history.visit, history.days)
        return {"resourceType": "Bundle", "type": "transaction", "entry": self._entries}

    def _add_patient(self) -> None:
        sketch = self._sketch
        names = [self._name(sketch.gender)]
        if sketch.maiden_name:
            names.append({"use": "maiden", "family": self._faker.last_name()})
        patient: Json = {
            "identifier": [
                {
                    "use": "usual",
                    "type": {"coding": [{"system": f"{_TERMINOLOGY}/v2-0203", "code": "MR"}]},
                    "system": _MRN_SYSTEM,
                    "value": f"D{self._random.randrange(10**7):07d}{self._number:02d}",
                }
            ],
            "name": names,
            "telecom": self._telecoms(),
            "gender": sketch.gender,
            "birthDate": self._birth_date().isoformat(),
            "address": [self._address()],
            "communication": [self._language()],
        }
        if sketch.died is not None:
            patient["deceasedDateTime"] = self._moment(-sketch.died)
        self._add("Patient", patient, url=self._url)

    def _add_guardian(self) -> None:
        self._add(
            "RelatedPerson",
            {
                "active": True,
                "patient": self._patient,
                "relationship": [
                    _concept(f"{_TERMINOLOGY}/v3-RoleCode", Coded(self._sketch.guardian, "mother")),
                    _concept(f"{_TERMINOLOGY}/v3-RoleCode", Coded("GUARD", "guardian")),
                ],
                "name": [self._name("female")],
                "telecom": [_phone(f"+1617555{120 + self._number:04d}", "mobile")],
            },
        )

    def _add_visits(self) -> None:
        last = -(self._sketch.died or 0) - self._random.randrange(20, 60)
        for visit in range(4):
            day = last - 180 * visit
            self._add(
                "Encounter",
                {
                    "status": "finished",
                    "class": {
                        "system": f"{_TERMINOLOGY}/v3-ActCode",
                        "code": "AMB",
                        "display": "ambulatory",
                    },
                    "type": [_concept(_SNOMED, self._sketch.history.visit)],
                    "subject": self._patient,
                    "period": {"start": self._moment(day), "end": self._moment(day, minutes=30)},
                },
            )

    def _add_condition(
        self,
        condition: Coded,
        years: int,
        *,
        ended: bool = False,
        security: Sequence[Json] = (),
    ) -> None:
        begun = -365 * min(years, max(self._sketch.age - 1, 1)) - (self._sketch.died or 0)
        resource: Json = {
            "clinicalStatus": _concept(
                f"{_TERMINOLOGY}/condition-clinical", Coded("resolved" if ended else "active", "")
            ),
            "verificationStatus": _concept(
                f"{_TERMINOLOGY}/condition-ver-status", Coded("confirmed", "")
            ),
            "code": _concept(_SNOMED, condition),
            "subject": self._patient,
            "onsetDateTime": self._day(begun),
        }
        if ended:
            resource["abatementDateTime"] = self._day(begun + 21)
        if security:
            resource["meta"] = {"security": list(security)}
        self._add("Condition", resource)

    def _add_medication(self, medication: Coded, status: str) -> None:
        self._add(
            "MedicationRequest",
            {
                "status": status,
                "intent": "order",
                "medicationCodeableConcept": _concept(_RXNORM, medication),
                "subject": self._patient,
                "authoredOn": self._moment(-self._random.randrange(60, 700)),
            },
        )

    def _add_allergy(self, allergy: Coded) -> None:
        self._add(
            "AllergyIntolerance",
            {
                "clinicalStatus": _concept(
                    f"{_TERMINOLOGY}/allergyintolerance-clinical", Coded("active", "")
                ),
                "verificationStatus": _concept(
                    f"{_TERMINOLOGY}/allergyintolerance-verification", Coded("confirmed", "")
                ),
                "code": _concept(_SNOMED, allergy),
                "patient": self._patient,
                "recordedDate": self._day(-self._random.randrange(400, 2000)),
            },
        )

    def _add_appointment(self, visit: Coded, days: int) -> None:
        self._add(
            "Appointment",
            {
                "status": "booked",
                "serviceType": [_concept(_SNOMED, visit)],
                "start": self._moment(days),
                "end": self._moment(days, minutes=30),
                "participant": [{"actor": self._patient, "status": "accepted"}],
            },
        )

    def _add(self, resource_type: str, content: Json, *, url: str = "") -> None:
        """Add an entry; a resource's id is that of its url, as in Synthea's bundles."""
        url = url or self._new_url()
        resource = {"resourceType": resource_type, "id": url.removeprefix("urn:uuid:"), **content}
        request = {"method": "POST", "url": resource_type}
        self._entries.append({"fullUrl": url, "resource": resource, "request": request})

    def _name(self, gender: str) -> Json:
        faker = self._faker
        given = faker.first_name_female if gender == "female" else faker.first_name_male
        return {"use": "official", "family": faker.last_name(), "given": [given()]}

    def _telecoms(self) -> list[Json]:
        email = {"system": "email", "value": f"patient{self._number:02d}@example.org"}
        if self._sketch.guardian:
            return [email]
        if self._sketch.phone:
            return [_phone(self._sketch.phone, "home"), email]
        return [_phone(f"+1617555{100 + self._number:04d}", "mobile"), email]

    def _address(self) -> Json:
        return {
            "use": "home",
            "line": [f"{self._random.randrange(1, 900)} {self._faker.last_name()} Street"],
            "city": "Boston",
            "state": "MA",
            "postalCode": "02118",
            "country": "US",
        }

    def _language(self) -> Json:
        words = {"en": "English", "es": "Spanish"}
        coded = Coded(self._sketch.language, words[self._sketch.language])
        return {"language": _concept("urn:ietf:bcp:47", coded), "preferred": True}

    def _birth_date(self) -> date:
        """Give a day by the age that the patient has in the year of _AGES, whatever day it is."""
        day = self._random.randrange(1, 360)
        return date(_AGES - self._sketch.age, 1, 1) + timedelta(days=day)

    def _day(self, days: int) -> str:
        return (self._today + timedelta(days=days)).isoformat()

    def _moment(self, days: int, *, minutes: int = 0) -> str:
        at = datetime.combine(self._today + timedelta(days=days), time(10, 30), _ZONE)
        return (at + timedelta(minutes=minutes)).isoformat()

    def _new_url(self) -> str:
        return f"urn:uuid:{UUID(int=self._random.getrandbits(128), version=4)}"


def _concept(system: str, coded: Coded) -> Json:
    coding = {"system": system, "code": coded.code}
    if not coded.display:
        return {"coding": [coding]}
    return {"coding": [{**coding, "display": coded.display}], "text": coded.display}


def _phone(number: str, use: str) -> Json:
    return {"system": "phone", "value": number, "use": use}
