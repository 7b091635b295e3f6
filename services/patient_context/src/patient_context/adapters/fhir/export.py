"""The ndjson files of one stream: patients and what is about them may stand in different files."""

from collections.abc import Iterator
from datetime import datetime
from typing import Any

from careline.patient_context.events.v1.events_pb2 import (
    ClinicalEntry,
    Demographics,
    RelatedPerson,
)

from patient_context.adapters.fhir.clinical import EntryRead
from patient_context.adapters.fhir.file_outcome import FileOutcome
from patient_context.adapters.fhir.line_reader import LineReader
from patient_context.adapters.fhir.not_fhir import NotFhir
from patient_context.adapters.fhir.patient import PatientRead, RelatedPersonRead
from patient_context.adapters.fhir.patients import Joined, Patients, Where
from patient_context.adapters.fhir.references import patient_key
from patient_context.adapters.fhir.resource import read_resource
from patient_context.adapters.fhir.spill import Spill
from patient_context.application.source_patient import SourceId

_PATIENT, _RELATED, _ENTRY = b"P", b"R", b"E"


class Export:
    """`open` a file and `feed` its parts, one file after the other; then `join` by partition.

    `outcomes` are those of its files, complete when all partitions are joined.
    """

    def __init__(self, spill: Spill, now: datetime) -> None:
        self.outcomes: dict[int, FileOutcome] = {}
        self._spill = spill
        self._now = now
        self._reader = LineReader()

    @property
    def spill_is_due(self) -> bool:
        return self._spill.is_due

    def spill_now(self) -> None:
        """Free memory; blocks, so call it in a thread."""
        self._spill.write_out()

    def open(self, file: int) -> None:
        self.outcomes[file] = FileOutcome(file)
        self._reader = LineReader()

    def feed(self, file: int, part: bytes, *, last: bool) -> Iterator[None]:
        """Take a part in, in steps of one line; raises SpillFull."""
        outcome = self.outcomes[file]
        for number, value in self._reader.feed(part, last=last):
            try:
                self._take(value, outcome, number)
            except NotFhir as fault:
                outcome.refuse(Where(file, number, fault.path), fault.reason)
            yield

    def join(self, partition: int) -> Iterator[Joined]:
        """Give the patients of a partition, of spill.PARTITIONS; reading it blocks."""
        patients = Patients()
        for item in self._spill.partition(partition):
            self._put(patients, item)
        yield from patients.join()
        for refusal in patients.refused:
            self.outcomes[refusal.where.file].refuse(refusal.where, refusal.reason)

    def _take(self, value: Any, outcome: FileOutcome, line: int) -> None:  # noqa: ANN401  JSON, or why it is none
        if isinstance(value, NotFhir):
            raise value
        read = read_resource(value, None, self._now)
        if read.resource_type == "Bundle":
            raise NotFhir("Bundle", "send a Bundle as a file of its own")
        where = [str(outcome.file).encode(), str(line).encode()]
        match read.content:
            case PatientRead() as patient:
                key = f"Patient/{patient.resource_id}" if patient.resource_id else ""
                self._spill.put(key, [_PATIENT, key.encode(), *where, *_packed(patient)])
                outcome.patients += 1
            case RelatedPersonRead(reference, related_person):
                key = _key(reference)
                content = related_person.SerializeToString(deterministic=True)
                at = b"RelatedPerson.patient"
                self._spill.put(key, [_RELATED, key.encode(), *where, at, content])
            case EntryRead(about, clinical) if about:
                content = clinical.SerializeToString(deterministic=True)
                paths = {_key(reference): path for reference, path in reversed(about)}
                known = {key: path for key, path in paths.items() if key} or paths
                for key, path in known.items():
                    self._spill.put(key, [_ENTRY, key.encode(), *where, path.encode(), content])
            case _:
                pass
        outcome.resources[read.resource_type] += 1

    def _put(self, patients: Patients, item: list[bytes]) -> None:
        kind, about, file, line, *rest = item
        keys = (about.decode(),) if about else ()
        if kind == _PATIENT:
            where = Where(int(file), int(line), "Patient")
            if not patients.add_patient(list(keys), _unpacked(about, rest), where):
                self.outcomes[where.file].patients -= 1
            return
        path, content = rest
        where = Where(int(file), int(line), path.decode())
        read = ClinicalEntry if kind == _ENTRY else RelatedPerson
        patients.add_about(keys, read.FromString(content), where)


def _key(reference: str) -> str:
    """Name a patient as this one server's export does, empty for what names none."""
    key = patient_key(reference)
    if key is None or key.startswith("urn:"):
        return ""
    return f"Patient/{key.rpartition('/')[2]}"


def _packed(patient: PatientRead) -> list[bytes]:
    return [
        patient.source.system.encode(),
        patient.source.value.encode(),
        b"1" if patient.deceased else b"",
        patient.demographics.SerializeToString(deterministic=True),
    ]


def _unpacked(key: bytes, parts: list[bytes]) -> PatientRead:
    system, value, deceased, demographics = parts
    return PatientRead(
        SourceId(system.decode(), value.decode()),
        key.decode().removeprefix("Patient/"),
        Demographics.FromString(demographics),
        bool(deceased),
    )
