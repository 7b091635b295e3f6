"""A patient as a source sends it."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from careline.patient_context.events.v1.events_pb2 import ClinicalEntry, Demographics


@dataclass(frozen=True, slots=True)
class SourceId:
    """By what a source tells a patient apart: a record number and its system, or, where the system
    is empty, the id of its FHIR resource.
    """

    system: str
    value: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class SourcePatient:
    """Demographics with related persons, and the clinical record, in any order.

    No entries means that the source says nothing of the record, not that it is empty.
    """

    source: SourceId
    demographics: Demographics = field(repr=False)
    deceased: bool
    entries: Sequence[ClinicalEntry] = field(repr=False)
