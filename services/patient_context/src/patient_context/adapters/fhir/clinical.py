"""Conditions, medications, allergies, encounters and appointments, reduced to ClinicalEntry."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

from careline.patient_context.events.v1.events_pb2 import ClinicalEntry

from patient_context.adapters.fhir import codings
from patient_context.adapters.fhir.codings import Coded
from patient_context.adapters.fhir.element import Element
from patient_context.adapters.fhir.not_fhir import NotFhir

_LARGEST_ENTRY: Final = 32 * 1024
_TERMINOLOGY: Final = "http://terminology.hl7.org/CodeSystem"
_CONDITION_CLINICAL: Final = {
    "active", "recurrence", "relapse", "inactive", "remission", "resolved",
}  # fmt: skip
_CONDITION_VERIFICATION: Final = {
    "unconfirmed", "provisional", "differential", "confirmed", "refuted", "entered-in-error",
}  # fmt: skip
_ALLERGY_CLINICAL: Final = {"active", "inactive", "resolved"}
_ALLERGY_VERIFICATION: Final = {"unconfirmed", "confirmed", "refuted", "entered-in-error"}
_MEDICATION_STATUS: Final = {
    "active", "on-hold", "cancelled", "completed", "entered-in-error", "stopped", "draft",
    "unknown",
}  # fmt: skip
_MEDICATION_INTENT: Final = {
    "proposal", "plan", "order", "original-order", "reflex-order", "filler-order",
    "instance-order", "option",
}  # fmt: skip
_ENCOUNTER_STATUS: Final = {
    "planned", "arrived", "triaged", "in-progress", "onleave", "finished", "cancelled",
    "entered-in-error", "unknown",
}  # fmt: skip
_APPOINTMENT_STATUS: Final = {
    "proposed", "pending", "booked", "arrived", "fulfilled", "cancelled", "noshow",
    "entered-in-error", "checked-in", "waitlist",
}  # fmt: skip
_PARTICIPATION_STATUS: Final = {"accepted", "declined", "tentative", "needs-action"}
_MAY_LACK_A_TIME: Final = {"proposed", "cancelled", "waitlist"}
_UNTRUE: Final = {"refuted", "entered-in-error"}


@dataclass(frozen=True, slots=True)
class EntryRead:
    """An entry, and the literal references to whom it is about, each with its path."""

    about: tuple[tuple[str, str], ...]
    entry: ClinicalEntry


def read_entry(resource_type: str, resource: Element) -> EntryRead | None:
    """Read a resource of CLINICAL_TYPES; None when it says of itself that it is not so."""
    read = _READERS[resource_type](resource)
    if read is not None:
        read.entry.resource_type = resource_type
        read.entry.resource_id = resource.id()
        read.entry.security_labels.extend(codings.security_labels(resource))
        if read.entry.ByteSize() > _LARGEST_ENTRY:
            raise NotFhir(resource.path, f"more than {_LARGEST_ENTRY} bytes to keep")
    return read


def _condition(resource: Element) -> EntryRead | None:
    clinical = _bound(resource, "clinicalStatus", "condition-clinical", _CONDITION_CLINICAL)
    verified = _bound(
        resource, "verificationStatus", "condition-ver-status", _CONDITION_VERIFICATION
    )
    about = _subject(resource, "subject", required=True)
    entry = _entry(
        codings.concept(resource.element("code")),
        clinical,
        _begin(resource, "onset") or resource.date_time("recordedDate"),
        _end(resource, "abatement"),
    )
    return None if verified in _UNTRUE else EntryRead(about, entry)


def _allergy(resource: Element) -> EntryRead | None:
    clinical = _bound(resource, "clinicalStatus", "allergyintolerance-clinical", _ALLERGY_CLINICAL)
    verified = _bound(
        resource, "verificationStatus", "allergyintolerance-verification", _ALLERGY_VERIFICATION
    )
    about = _subject(resource, "patient", required=True)
    begin = _begin(resource, "onset") or resource.date_time("recordedDate")
    entry = _entry(codings.concept(resource.element("code")), clinical, begin)
    return None if verified in _UNTRUE else EntryRead(about, entry)


def _medication_request(resource: Element) -> EntryRead | None:
    status = resource.required_code("status", _MEDICATION_STATUS)
    resource.required_code("intent", _MEDICATION_INTENT)
    about = _subject(resource, "subject", required=True)
    entry = _entry(_medication(resource), status, resource.date_time("authoredOn"))
    is_not_so = status == "entered-in-error" or resource.flag("doNotPerform") is True
    return None if is_not_so else EntryRead(about, entry)


def _encounter(resource: Element) -> EntryRead | None:
    status = resource.required_code("status", _ENCOUNTER_STATUS)
    kind = codings.coding(resource.element("class"))
    types = [codings.concept(each) for each in resource.elements("type")]
    coded = next((each for each in types if each.display), Coded(kind.code, kind.display))
    begin, end = _period(resource, "period")
    entry = _entry(coded, status, begin, end)
    about = _subject(resource, "subject", required=False)
    return None if status == "entered-in-error" else EntryRead(about, entry)


def _appointment(resource: Element) -> EntryRead | None:
    status = resource.required_code("status", _APPOINTMENT_STATUS)
    begin, end = resource.instant("start"), resource.instant("end")
    if bool(begin) != bool(end):
        raise NotFhir(resource.path, "start and end belong together (app-2)")
    if not begin and status not in _MAY_LACK_A_TIME:
        raise NotFhir(resource.at("start"), "missing in an appointment of this status (app-3)")
    about: list[tuple[str, str]] = []
    for participant in resource.elements("participant"):
        attends = participant.required_code("status", _PARTICIPATION_STATUS) != "declined"
        if attends:
            about += _subject(participant, "actor", required=False, others=True)
    entry = _entry(_matter(resource), status, begin, end)
    return None if status == "entered-in-error" else EntryRead(tuple(about), entry)


def _matter(appointment: Element) -> Coded:
    """Give what an appointment is for, in the most telling words that it has."""
    concepts = [
        *appointment.elements("serviceType"),
        *appointment.elements("specialty"),
        *appointment.elements("reasonCode"),
    ]
    if kind := appointment.element("appointmentType"):
        concepts.append(kind)
    coded = next((each for each in map(codings.concept, concepts) if each.display), Coded())
    return Coded(coded.code, appointment.text("description") or coded.display)


def _medication(resource: Element) -> Coded:
    """Give what is prescribed: by code, contained resource, or the words of its reference."""
    if (coded := resource.element("medicationCodeableConcept")) is not None:
        return codings.concept(coded)
    reference = resource.element("medicationReference")
    if reference is None:
        raise NotFhir(resource.at("medication"), "missing")
    target = reference.text("reference")
    for each in resource.elements("contained"):
        if target == f"#{each.id()}" and each.element("code") is not None:
            return codings.concept(each.element("code"))
    display = reference.text("display")
    if not display:
        raise NotFhir(reference.path, "neither contained nor named in words")
    return Coded("", display)


def _subject(
    element: Element, name: str, *, required: bool, others: bool = False
) -> tuple[tuple[str, str], ...]:
    """Give the literal reference of a field. `others`: those of other types are passed over."""
    subject = element.element(name)
    if subject is None:
        if required:
            raise NotFhir(element.at(name), "missing")
        return ()
    reference = subject.text("reference")
    if others and not _may_be_patient(reference):
        return ()
    if reference.startswith("Group/"):
        return ()
    return ((reference, subject.path),)


def _may_be_patient(reference: str) -> bool:
    """Tell whether a reference may lead to a patient; a urn says nothing of the type."""
    return reference.startswith(("urn:", "Patient/")) or "/Patient/" in reference


def _bound(resource: Element, name: str, system: str, among: set[str]) -> str:
    """Read a CodeableConcept whose binding requires a code of one system."""
    element = resource.element(name)
    found = codings.code_of_system(element, f"{_TERMINOLOGY}/{system}")
    if element is not None and found not in among:
        raise NotFhir(element.path, "not one of the codes of this field")
    return found


def _begin(resource: Element, choice: str) -> str:
    return resource.date_time(f"{choice}DateTime") or _period(resource, f"{choice}Period")[0]


def _end(resource: Element, choice: str) -> str:
    return resource.date_time(f"{choice}DateTime") or _period(resource, f"{choice}Period")[1]


def _period(resource: Element, name: str) -> tuple[str, str]:
    period = resource.element(name)
    return ("", "") if period is None else (period.date_time("start"), period.date_time("end"))


def _entry(coded: Coded, status: str, start: str, end: str = "") -> ClinicalEntry:
    return ClinicalEntry(
        code=coded.code, display=coded.display, status=status, start=start, end=end
    )


_READERS: Final[Mapping[str, Callable[[Element], EntryRead | None]]] = {
    "Condition": _condition,
    "AllergyIntolerance": _allergy,
    "MedicationRequest": _medication_request,
    "Encounter": _encounter,
    "Appointment": _appointment,
}
CLINICAL_TYPES: Final = frozenset(_READERS)
