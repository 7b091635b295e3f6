"""Who a patient is, from patient_context's events, as matching and codes read it."""

from typing import Final, TypeAlias

from careline.patient_context.events.v1 import events_pb2 as events

from identity.domain.matching import Address, Candidate, PersonName
from identity.domain.number_on_file import Number

Described: TypeAlias = events.PatientRegistered | events.PatientDemographicsChanged
DESCRIBED: Final[dict[str, type[Described]]] = {
    kind.DESCRIPTOR.full_name: kind
    for kind in (events.PatientRegistered, events.PatientDemographicsChanged)
}
ERASED: Final = events.PatientErased.DESCRIPTOR.full_name
_PHONES: Final = frozenset({"phone", "sms"})
_RECORD_NUMBERS: Final = frozenset({"MR", "MB"})
"""HL7 v2-0203: medical record number, member number."""


def candidate_of(patient: str, event: Described) -> Candidate:
    """Read a record as matching compares it; numbers no longer in use are no identifiers."""
    who = event.demographics
    return Candidate(
        patient=patient,
        names=tuple(PersonName(name.family_name, tuple(name.given_names)) for name in who.names),
        birth_date=who.birth_date,
        addresses=tuple(
            Address(tuple(address.lines), address.postal_code) for address in who.addresses
        ),
        phones=tuple(
            telecom.value
            for telecom in who.telecoms
            if telecom.system in _PHONES and telecom.use != "old"
        ),
        record_numbers=tuple(
            identifier.value for identifier in who.identifiers if identifier.type in _RECORD_NUMBERS
        ),
        deceased=event.deceased,
    )


def numbers_of(event: Described) -> tuple[Number, ...]:
    return tuple(
        Number(telecom.system, telecom.use, telecom.value, telecom.since)
        for telecom in event.demographics.telecoms
    )
