"""What a screen pop picks from a clinical record: what is active, what was last, what is next."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from careline.patient_context.events.v1.events_pb2 import ClinicalEntry

from patient_context.domain.disclosure import Allowance, Part
from patient_context.domain.fhir_time import first_moment, last_moment

MOST_SHOWN: Final = 100
UNRESTRICTED_LABELS: Final = frozenset({"U", "L", "M", "N", "HTEST"})
"""HL7 v3 confidentiality up to normal, and test data. Any other label restricts, known or not."""

_ACTIVE_CONDITION: Final = frozenset({"active", "recurrence", "relapse", ""})
_ACTIVE_ALLERGY: Final = frozenset({"active", ""})
_COMING: Final = {
    "Appointment": frozenset({"booked", "pending", "arrived", "checked-in"}),
    "Encounter": frozenset({"planned"}),
}


@dataclass(frozen=True, slots=True)
class Selected:
    """Newest first; None where there is none, or it may not be shown."""

    conditions: tuple[ClinicalEntry, ...] = ()
    medications: tuple[ClinicalEntry, ...] = ()
    allergies: tuple[ClinicalEntry, ...] = ()
    last_encounter: ClinicalEntry | None = None
    next_encounter: ClinicalEntry | None = None


def select(entries: Iterable[ClinicalEntry], allowance: Allowance, at: datetime) -> Selected:
    """Pick what is shown of a record at a moment."""
    shown = [entry for entry in entries if _may_be_shown(entry, allowance)]
    parts = allowance.parts

    def of(part: Part, kind: str, wanted: Callable[[ClinicalEntry], bool]) -> list[ClinicalEntry]:
        if part not in parts:
            return []
        return [entry for entry in shown if entry.resource_type == kind and wanted(entry)]

    conditions = of(Part.CONDITIONS, "Condition", lambda entry: _is_active(entry, at))
    medications = of(Part.MEDICATIONS, "MedicationRequest", lambda entry: entry.status == "active")
    allergies = of(
        Part.ALLERGIES, "AllergyIntolerance", lambda entry: entry.status in _ACTIVE_ALLERGY
    )
    past = of(Part.LAST_ENCOUNTER, "Encounter", lambda entry: _is_past(entry, at))
    coming = [
        entry
        for kind in _COMING
        for entry in of(Part.NEXT_ENCOUNTER, kind, lambda entry: _is_coming(entry, at))
    ]
    return Selected(
        _newest(conditions),
        _newest(medications),
        _newest(allergies),
        max(past, key=_begin, default=None),
        min(coming, key=_begin, default=None),
    )


def is_restricted(entry: ClinicalEntry) -> bool:
    """Tell whether a security label, as 42CFRPart2, holds the entry back."""
    return not UNRESTRICTED_LABELS.issuperset(entry.security_labels)


def _may_be_shown(entry: ClinicalEntry, allowance: Allowance) -> bool:
    kind = entry.resource_type
    return kind in allowance.types and (not is_restricted(entry) or kind in allowance.labelled)


def _is_active(condition: ClinicalEntry, at: datetime) -> bool:
    is_over = bool(condition.end) and last_moment(condition.end) < at
    return condition.status in _ACTIVE_CONDITION and not is_over


def _is_past(encounter: ClinicalEntry, at: datetime) -> bool:
    return encounter.status == "finished" and bool(encounter.start) and _begin(encounter) <= at


def _is_coming(entry: ClinicalEntry, at: datetime) -> bool:
    """Tell whether it is still to begin; one that names a day only may begin all day."""
    is_expected = entry.status in _COMING[entry.resource_type]
    return is_expected and bool(entry.start) and last_moment(entry.start) > at


def _begin(entry: ClinicalEntry) -> datetime:
    return first_moment(entry.start)


def _newest(entries: list[ClinicalEntry]) -> tuple[ClinicalEntry, ...]:
    """Order by begin, the undated last, and show what is said twice once."""
    dated = sorted((one for one in entries if one.start), key=_begin, reverse=True)
    undated = [one for one in entries if not one.start]
    once = {(one.code, one.display): one for one in reversed([*dated, *undated])}
    in_order = [one for one in [*dated, *undated] if once[one.code, one.display] is one]
    return tuple(in_order[:MOST_SHOWN])
