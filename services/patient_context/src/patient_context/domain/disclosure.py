"""What may be told of a patient: a function of caller level, purpose of use and consent.

Levels are those of healthcare anchors 2.3: ANONYMOUS is told nothing, MATCHED enough to keep an
appointment, VERIFIED the screen pop, HIGH also labelled entries, if the patient permitted them.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import IntEnum, StrEnum
from typing import Final

from patient_context.domain.consent import Consent, is_denied, is_permitted


class Level(IntEnum):
    """How sure we are of who calls."""

    ANONYMOUS = 0
    MATCHED = 1
    VERIFIED = 2
    HIGH = 3


class Part(StrEnum):
    """A field of the screen pop, by the name that `withheld` gives it."""

    DISPLAY_NAME = "display_name"
    PREFERRED_LANGUAGE = "preferred_language"
    BIRTH_DATE = "birth_date"
    GENDER = "gender"
    AGE = "age"
    PHONES = "phones"
    ADDRESS = "address"
    MEDICAL_RECORD_NUMBER = "medical_record_number"
    RELATED_PERSONS = "related_persons"
    CONDITIONS = "conditions"
    MEDICATIONS = "medications"
    ALLERGIES = "allergies"
    LAST_ENCOUNTER = "last_encounter"
    NEXT_ENCOUNTER = "next_encounter"


TYPES_OF: Final[Mapping[Part, tuple[str, ...]]] = {
    Part.DISPLAY_NAME: ("Patient",),
    Part.PREFERRED_LANGUAGE: ("Patient",),
    Part.BIRTH_DATE: ("Patient",),
    Part.GENDER: ("Patient",),
    Part.AGE: ("Patient",),
    Part.PHONES: ("Patient",),
    Part.ADDRESS: ("Patient",),
    Part.MEDICAL_RECORD_NUMBER: ("Patient",),
    Part.RELATED_PERSONS: ("RelatedPerson",),
    Part.CONDITIONS: ("Condition",),
    Part.MEDICATIONS: ("MedicationRequest",),
    Part.ALLERGIES: ("AllergyIntolerance",),
    Part.LAST_ENCOUNTER: ("Encounter",),
    Part.NEXT_ENCOUNTER: ("Appointment", "Encounter"),
}
"""FHIR resource types that a part is made of; it is shown as far as one of them is allowed."""

AGENT_PURPOSES: Final = frozenset({"TREAT", "HPAYMT", "HOPERAT"})
REGISTRATION_PURPOSES: Final = frozenset({"PATADMIN", "PATRQT"})
_OF_A_MATCH: Final = frozenset({Part.DISPLAY_NAME, Part.PREFERRED_LANGUAGE, Part.NEXT_ENCOUNTER})
_OF_A_REGISTRATION: Final = frozenset(part for part in Part if TYPES_OF[part] == ("Patient",))
_LEVEL: Final = "caller level"
_CONSENT: Final = "consent"
_PURPOSE: Final = "purpose"
_LABELLED: Final = "labelled entries"


@dataclass(frozen=True, slots=True)
class Allowance:
    """What may be shown. `types` are the resource types it may be made of.

    `date_only`: of the next encounter no more than when it is. `labelled`: types whose entries are
    shown although a security label restricts them. `withheld` says what is not shown and why; it
    speaks of labelled entries whether or not there are any, as their existence is one itself.
    """

    parts: frozenset[Part] = frozenset()
    types: frozenset[str] = frozenset()
    date_only: bool = False
    labelled: frozenset[str] = frozenset()
    withheld: tuple[str, ...] = ()

    @property
    def is_nothing(self) -> bool:
        return not self.parts


NOTHING: Final = Allowance()


def to_agent(
    level: Level, purpose: str, consents: Iterable[Consent], *, deceased: bool, at: datetime
) -> Allowance:
    """Say what an agent may be shown in a contact with a caller of that level.

    A patient who has died calls no more: whoever does is told nothing.
    """
    decisions = tuple(consents)
    if level is Level.ANONYMOUS or deceased or purpose not in AGENT_PURPOSES:
        return NOTHING
    asked = frozenset(Part) if level >= Level.VERIFIED else _OF_A_MATCH
    allowance = _consented(asked, _LEVEL, purpose, decisions, at)
    labelled: frozenset[str] = frozenset()
    if level is Level.HIGH:
        labelled = frozenset(
            kind
            for kind in allowance.types
            if is_permitted(decisions, kind, purpose=purpose, at=at)
        )
    reason = _CONSENT if level is Level.HIGH else _LEVEL
    is_held_back = level >= Level.VERIFIED and not labelled
    return Allowance(
        allowance.parts,
        allowance.types,
        date_only=level is Level.MATCHED,
        labelled=labelled,
        withheld=allowance.withheld + ((f"{_LABELLED}: {reason}",) if is_held_back else ()),
    )


def to_registration(purpose: str, consents: Iterable[Consent], *, at: datetime) -> Allowance:
    """Say what the registration desk may be shown: who somebody is, and nothing clinical."""
    if purpose not in REGISTRATION_PURPOSES:
        return NOTHING
    return _consented(_OF_A_REGISTRATION, _PURPOSE, purpose, tuple(consents), at)


def _consented(
    asked: frozenset[Part],
    otherwise: str,
    purpose: str,
    consents: tuple[Consent, ...],
    at: datetime,
) -> Allowance:
    """Take from what is asked what consents deny; `otherwise` is why the rest is not shown."""
    allowed = {
        part: [
            kind for kind in TYPES_OF[part] if not is_denied(consents, kind, purpose=purpose, at=at)
        ]
        for part in asked
    }
    parts = frozenset(part for part, kinds in allowed.items() if kinds)
    withheld = tuple(
        f"{part}: {_CONSENT if part in asked else otherwise}" for part in Part if part not in parts
    )
    types = frozenset(kind for part in parts for kind in allowed[part])
    return Allowance(parts, types, withheld=withheld)
