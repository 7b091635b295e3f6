"""Joins patients with the resources that are about them, within one bundle or part of an export."""

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final

from careline.patient_context.events.v1.events_pb2 import ClinicalEntry, RelatedPerson

from patient_context.adapters.fhir.patient import PatientRead
from patient_context.application.source_patient import SourceId, SourcePatient

MOST_ENTRIES: Final = 20_000
MOST_RELATED: Final = 50
LARGEST_RELATED: Final = 64 * 1024
_NOBODY: Final = "refers to no patient that was taken in with it"


@dataclass(frozen=True, slots=True)
class Where:
    """Where something stands: file, line (0 in a bundle) and path."""

    file: int
    line: int
    path: str


@dataclass(frozen=True, slots=True)
class Refusal:
    """What was not taken in, and why."""

    where: Where
    reason: str


@dataclass(frozen=True, slots=True)
class Joined:
    """A patient with all that is about the patient; `where` the Patient stands."""

    where: Where
    patient: SourcePatient


@dataclass(slots=True)
class _Gathered:
    where: Where
    read: PatientRead
    related: list[RelatedPerson] = field(default_factory=list)
    related_size: int = 0
    entries: dict[tuple[str, str, int], ClinicalEntry] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class _About:
    """Something that is about the patients of these keys."""

    keys: tuple[str, ...]
    where: Where
    content: ClinicalEntry | RelatedPerson


class Patients:
    """Takes patients and what is about them in any order; `join` gives the patients."""

    def __init__(self) -> None:
        self._by_key: dict[str, _Gathered] = {}
        self._by_source: dict[SourceId, _Gathered] = {}
        self._about: list[_About] = []
        self.refused: list[Refusal] = []

    def add_patient(self, keys: list[str], read: PatientRead, where: Where) -> bool:
        """Add a patient, unless one of these keys or of this number is there already."""
        known = [self._by_key[key] for key in keys if key in self._by_key]
        if read.source in self._by_source:
            known.append(self._by_source[read.source])
        if known:
            if any(one.read != read for one in known):
                self.refused.append(Refusal(where, "the same patient again, and not as before"))
            return False
        gathered = _Gathered(where, read)
        self._by_source[read.source] = gathered
        self._by_key.update(dict.fromkeys(keys, gathered))
        return True

    def add_about(
        self, keys: tuple[str, ...], content: ClinicalEntry | RelatedPerson, where: Where
    ) -> None:
        """Add an entry or a related person; without any key it is about nobody we know."""
        self._about.append(_About(keys, where, content))

    def join(self) -> Iterator[Joined]:
        """Give every patient once; what is about nobody here is refused."""
        for number, about in enumerate(self._about):
            found = {id(one): one for key in about.keys if (one := self._by_key.get(key))}
            if not found:
                self.refused.append(Refusal(about.where, _NOBODY))
            for gathered in found.values():
                self._add(gathered, about, number)
        self._about.clear()
        self._by_key.clear()
        waiting = deque(self._by_source.values())
        self._by_source.clear()
        while waiting:
            gathered = waiting.popleft()
            yield Joined(gathered.where, _source_patient(gathered))

    def _add(self, to: _Gathered, about: _About, number: int) -> None:
        """Add to a patient; a resource that comes twice counts as it came last."""
        content = about.content
        if isinstance(content, RelatedPerson):
            to.related_size += content.ByteSize()
            if len(to.related) == MOST_RELATED or to.related_size > LARGEST_RELATED:
                reason = f"more than {MOST_RELATED}, or {LARGEST_RELATED} bytes, of a patient"
                self.refused.append(Refusal(about.where, reason))
            else:
                to.related.append(content)
        elif len(to.entries) == MOST_ENTRIES:
            self.refused.append(Refusal(about.where, f"more than {MOST_ENTRIES} of a patient"))
        else:
            unnamed = 0 if content.resource_id else number
            to.entries[content.resource_type, content.resource_id, unnamed] = content


def _source_patient(gathered: _Gathered) -> SourcePatient:
    demographics = gathered.read.demographics
    related = sorted(gathered.related, key=lambda one: one.SerializeToString(deterministic=True))
    demographics.related_persons.extend(related)
    return SourcePatient(
        gathered.read.source,
        demographics,
        gathered.read.deceased,
        tuple(gathered.entries.values()),
    )
