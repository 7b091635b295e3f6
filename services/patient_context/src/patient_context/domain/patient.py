"""One patient: registered, changed, consenting, and in the end erased."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from typing import Final, TypeAlias

from careline.patient_context.events.v1 import events_pb2 as events
from eventstore.decider import Decider, Rejected

from patient_context.domain.consent import Consent
from patient_context.domain.moment import moment, stamp

Event: TypeAlias = (
    events.PatientRegistered
    | events.PatientDemographicsChanged
    | events.ClinicalRecordTakenIn
    | events.ConsentRecorded
    | events.ConsentRevoked
    | events.PatientErasureRequested
    | events.PatientErased
)
ERASURE_REASONS: Final = frozenset({"PATIENT_REQUEST", "RETENTION_END"})
_SUBJECTS_AN_EVENT: Final = 2_000


class Status(StrEnum):
    ABSENT = "absent"
    REGISTERED = "registered"
    ERASURE_REQUESTED = "erasure_requested"
    ERASED = "erased"


@dataclass(frozen=True, slots=True)
class RecordTakenIn:
    """Which record was taken in last, and which of its parts are there."""

    digest: bytes = b""
    parts: frozenset[int] = frozenset()


@dataclass(frozen=True, slots=True)
class Patient:
    """What the next decision needs to know. `erased_subjects` went with the patient's keys."""

    status: Status = Status.ABSENT
    deceased: bool = False
    demographics_digest: bytes = b""
    record: RecordTakenIn = RecordTakenIn()
    consents: frozenset[str] = frozenset()
    revoked: frozenset[str] = frozenset()
    erase_time: datetime | None = None
    erased_subjects: int = 0


@dataclass(frozen=True, slots=True)
class TakenIn:
    """What a source says of a patient. `parts` are those of the clinical record, None where it
    says nothing of one. Digests are keyed: the same again has the same.
    """

    demographics: events.Demographics
    deceased: bool
    demographics_digest: bytes
    parts: Sequence[Sequence[events.ClinicalEntry]] | None = None
    record_digest: bytes = b""


def evolve(patient: Patient, event: Event) -> Patient:
    match event:
        case events.PatientRegistered() | events.PatientDemographicsChanged():
            status = Status.REGISTERED if patient.status is Status.ABSENT else patient.status
            return replace(
                patient,
                status=status,
                deceased=event.deceased,
                demographics_digest=event.content_digest,
            )
        case events.ClinicalRecordTakenIn():
            is_same = event.content_digest == patient.record.digest
            there = patient.record.parts if is_same else frozenset()
            return replace(
                patient, record=RecordTakenIn(event.content_digest, there | {event.part})
            )
        case events.ConsentRecorded():
            return replace(patient, consents=patient.consents | {event.consent})
        case events.ConsentRevoked():
            return replace(
                patient,
                consents=patient.consents - {event.consent},
                revoked=patient.revoked | {event.consent},
            )
        case events.PatientErasureRequested():
            return replace(patient, status=Status.ERASURE_REQUESTED)
        case events.PatientErased():
            return replace(
                patient,
                status=Status.ERASED,
                erase_time=moment(event.erase_time),
                erased_subjects=patient.erased_subjects + len(event.subjects),
            )


PATIENT: Final[Decider[Patient, Event]] = Decider(Patient(), evolve)


def take_in(patient: Patient, taken: TakenIn, *, at: datetime) -> list[Event]:
    """Take in what has changed; nothing when all of it is known."""
    if patient.status in {Status.ERASURE_REQUESTED, Status.ERASED}:
        raise Rejected("PATIENT_ERASED")
    return [*_demographics(patient, taken, at), *_missing_parts(patient, taken, at)]


def record_consent(
    patient: Patient, name: str, consent: Consent, *, at: datetime
) -> list[events.ConsentRecorded]:
    """Record a decision, in force from its start or else from now on."""
    require_registered(patient)
    if name in patient.consents | patient.revoked:
        return []
    return [
        events.ConsentRecorded(
            consent=name,
            decision=consent.decision.value,
            purposes_of_use=sorted(consent.purposes),
            resource_types=sorted(consent.resource_types),
            start_time=stamp(consent.start or at),
            end_time=None if consent.end is None else stamp(consent.end),
        )
    ]


def revoke_consent(patient: Patient, name: str, *, at: datetime) -> list[events.ConsentRevoked]:
    """Take a decision back; what was taken back stays so."""
    require_registered(patient)
    if name in patient.revoked:
        return []
    if name not in patient.consents:
        raise Rejected("DENIED_OR_ABSENT")
    return [events.ConsentRevoked(consent=name, revoke_time=stamp(at))]


def request_erasure(
    patient: Patient, *, reason: str, at: datetime
) -> list[events.PatientErasureRequested]:
    """Begin to erase; there is no way back."""
    if patient.status is Status.ABSENT:
        raise Rejected("DENIED_OR_ABSENT")
    if patient.status is not Status.REGISTERED:
        return []
    return [events.PatientErasureRequested(reason=reason, request_time=stamp(at))]


def confirm_erasure(
    patient: Patient, *, subjects: Sequence[str], at: datetime
) -> list[events.PatientErased]:
    """Note that the keys of these subjects, the patient's own among them, are gone."""
    if patient.status is Status.ERASED:
        return []
    if patient.status is not Status.ERASURE_REQUESTED:
        raise Rejected("DENIED_OR_ABSENT")
    slices = range(0, max(len(subjects), 1), _SUBJECTS_AN_EVENT)
    return [
        events.PatientErased(
            subjects=subjects[begin : begin + _SUBJECTS_AN_EVENT], erase_time=stamp(at)
        )
        for begin in slices
    ]


def require_registered(patient: Patient) -> None:
    """Raise Rejected for a patient who is unknown, or erased."""
    if patient.status is Status.ABSENT:
        raise Rejected("DENIED_OR_ABSENT")
    if patient.status is not Status.REGISTERED:
        raise Rejected("PATIENT_ERASED")


def _demographics(patient: Patient, taken: TakenIn, at: datetime) -> list[Event]:
    if patient.status is Status.ABSENT:
        return [
            events.PatientRegistered(
                demographics=taken.demographics,
                deceased=taken.deceased,
                content_digest=taken.demographics_digest,
                register_time=stamp(at),
            )
        ]
    if patient.demographics_digest == taken.demographics_digest:
        return []
    return [
        events.PatientDemographicsChanged(
            demographics=taken.demographics,
            deceased=taken.deceased,
            content_digest=taken.demographics_digest,
            change_time=stamp(at),
        )
    ]


def _missing_parts(
    patient: Patient, taken: TakenIn, at: datetime
) -> list[events.ClinicalRecordTakenIn]:
    if taken.parts is None:
        return []
    known = patient.record
    there = known.parts if known.digest == taken.record_digest else frozenset()
    return [
        events.ClinicalRecordTakenIn(
            part=number,
            parts=len(taken.parts),
            entries=entries,
            content_digest=taken.record_digest,
            take_in_time=stamp(at),
        )
        for number, entries in enumerate(taken.parts)
        if number not in there
    ]
