"""The person whom the player plays: what a patient knows of himself."""

from dataclasses import dataclass, field

from careline.patient_context.v1 import patient_service_pb2 as patient_pb2

from careline_cli.command_error import CommandError
from careline_cli.contact.caller import Caller
from careline_cli.contact.stubs import Stubs


class PersonaUnknown(CommandError):
    """No patient, or more than one, goes by that name."""


@dataclass(frozen=True, slots=True)
class Persona:
    """A patient, and the identifiers that he would tell."""

    patient: str
    full_name: str = field(repr=False)
    birth_date: str = field(repr=False)
    phone: str = field(repr=False)
    medical_record_number: str = field(repr=False)


async def persona_named(stubs: Stubs, registrar: Caller, name: str) -> Persona:
    """Look a patient up as a registration desk does, by name alone.

    Raises PersonaUnknown when nobody fits, or when several do and none has exactly this name.
    """
    desk = registrar.with_purpose("PATRQT")
    found = await desk.call(
        stubs.patients.FindPatients,
        patient_pb2.FindPatientsRequest(person_name=name, page_size=25),
    )
    exact = [one for one in found.patients if one.display_name.casefold() == name.casefold()]
    candidates = exact or list(found.patients)
    if len(candidates) != 1:
        raise PersonaUnknown(
            f"{len(candidates)} patients go by that name; give the full name of one"
        )
    answer = await desk.call(
        stubs.patients.GetPatientContext,
        patient_pb2.GetPatientContextRequest(patient=candidates[0].name),
    )
    context = answer.patient_context
    return Persona(
        patient=context.name,
        full_name=context.display_name,
        birth_date=context.birth_date,
        phone=context.phones[0] if context.phones else "",
        medical_record_number=context.medical_record_number,
    )
