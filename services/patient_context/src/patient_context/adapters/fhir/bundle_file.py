"""One file that is a Bundle: read entry by entry, its patients joined when it is whole."""

from collections.abc import Iterator
from datetime import datetime
from typing import Any, Final

from patient_context.adapters.fhir.bundle_reader import BundleReader
from patient_context.adapters.fhir.clinical import EntryRead
from patient_context.adapters.fhir.element import Element
from patient_context.adapters.fhir.file_outcome import FileOutcome
from patient_context.adapters.fhir.not_fhir import NotFhir
from patient_context.adapters.fhir.patient import PatientRead, RelatedPersonRead
from patient_context.adapters.fhir.patients import Joined, Patients, Where
from patient_context.adapters.fhir.references import keys_of, patient_key
from patient_context.adapters.fhir.resource import read_resource

LARGEST_CONTENT: Final = 64 * 1024 * 1024
_TAKEN_METHODS: Final = frozenset({"POST", "PUT"})


class BundleFile:
    """`feed` its parts; after the last, `join` gives its patients.

    A file that turns out to be no Bundle, or not to its end, is refused whole.
    """

    def __init__(self, number: int, now: datetime) -> None:
        self.outcome = FileOutcome(number)
        self._number = number
        self._now = now
        self._reader = BundleReader()
        self._patients = Patients()
        self._size = 0
        self._is_refused = False

    def feed(self, part: bytes, *, last: bool) -> Iterator[None]:
        """Take a part in, in steps of one entry."""
        if self._is_refused:
            return
        try:
            for number, entry in self._reader.feed(part, last=last):
                self._take(entry, f"Bundle.entry[{number}]")
                yield
        except NotFhir as fault:
            self._is_refused = True
            self._patients = Patients()
            self.outcome = FileOutcome(self._number)
            self.outcome.refuse(Where(self._number, 0, fault.path), fault.reason)

    def join(self) -> Iterator[Joined]:
        """Give the patients with all that is about them."""
        yield from self._patients.join()
        for refusal in self._patients.refused:
            self.outcome.refuse(refusal.where, refusal.reason)

    def _take(self, entry: Any, path: str) -> None:  # noqa: ANN401  any JSON value
        try:
            self._take_entry(entry, path)
        except NotFhir as fault:
            self.outcome.refuse(Where(self._number, 0, fault.path), fault.reason)
        if self._size > LARGEST_CONTENT:
            raise NotFhir("Bundle", f"more than {LARGEST_CONTENT} bytes to keep: send it as ndjson")

    def _take_entry(self, value: Any, path: str) -> None:  # noqa: ANN401  any JSON value
        entry = Element(path, value)
        request = entry.element("request")
        if request is not None and request.code("method") not in _TAKEN_METHODS:
            raise NotFhir(request.at("method"), "not POST or PUT")
        full_url = entry.uri("fullUrl")
        if not entry.has("resource"):
            entry.missing("resource")
        at = entry.at("resource")
        read = read_resource(value["resource"], at, self._now)
        where = Where(self._number, 0, at)
        match read.content:
            case PatientRead() as patient:
                self._size += patient.demographics.ByteSize()
                keys = keys_of(patient.resource_id, full_url)
                self.outcome.patients += self._patients.add_patient(keys, patient, where)
            case RelatedPersonRead(reference, related_person):
                self._size += related_person.ByteSize()
                self._patients.add_about(_keys(reference), related_person, where)
            case EntryRead(about, clinical) if about:
                self._size += clinical.ByteSize()
                keys_about = tuple(key for one, _ in about for key in _keys(one))
                self._patients.add_about(keys_about, clinical, Where(self._number, 0, about[0][1]))
            case _:
                pass
        self.outcome.resources[read.resource_type] += 1


def _keys(reference: str) -> tuple[str, ...]:
    key = patient_key(reference)
    return () if key is None else (key,)
