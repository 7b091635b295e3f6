"""What is known of a patient, opened."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from careline.patient_context.events.v1.events_pb2 import ClinicalEntry, Demographics

from patient_context.domain.consent import Consent


@dataclass(frozen=True, slots=True)
class KnownPatient:
    """A patient of the read model: `name` is "patients/{id}"."""

    name: str
    demographics: Demographics = field(repr=False)
    deceased: bool
    entries: Sequence[ClinicalEntry] = field(repr=False)
    consents: Sequence[Consent] = ()
