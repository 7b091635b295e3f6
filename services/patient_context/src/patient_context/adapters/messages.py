"""What is shown of patients, as callers see it."""

from datetime import date
from typing import Final

from careline.patient_context.events.v1 import events_pb2 as events
from careline.patient_context.v1 import patient_service_pb2 as pb2

from patient_context.application.screen_pop import Shown
from patient_context.domain.disclosure import Part

_PHONES: Final = frozenset({"phone", "sms"})
_RECORD_NUMBER: Final = "MR"
_WHOLE_DAY: Final = len("1972-03-03")


def candidate(name: str, demographics: events.Demographics) -> pb2.PatientContext:
    """Show a candidate of a search: who it is, to tell candidates apart."""
    return pb2.PatientContext(
        name=name,
        display_name=display_name(demographics),
        birth_date=demographics.birth_date,
    )


def screen_pop(shown: Shown) -> pb2.PatientContext:
    """Show the parts that are allowed and leave all others empty."""
    person, selected = shown.demographics, shown.selected
    context = pb2.PatientContext(
        name=shown.patient,
        conditions=map(_item, selected.conditions),
        medications=map(_item, selected.medications),
        allergies=map(_item, selected.allergies),
    )
    if selected.last_encounter is not None:
        context.last_encounter.CopyFrom(_item(selected.last_encounter))
    if selected.next_encounter is not None:
        item = _item(selected.next_encounter)
        if shown.allowance.date_only:
            item = pb2.ClinicalItem(start=item.start)
        context.next_encounter.CopyFrom(item)
    for part in shown.allowance.parts:
        _show(context, part, person, shown.at.date())
    return context


def display_name(person: events.Demographics) -> str:
    """Give the usual name as people say it."""
    return _said(person.names[0]) if person.names else ""


def age_on(birth_date: str, day: date) -> int:
    """Give the age in whole years; 0 where the day of birth is not known."""
    if len(birth_date) != _WHOLE_DAY:
        return 0
    born = date.fromisoformat(birth_date)
    return max(day.year - born.year - ((day.month, day.day) < (born.month, born.day)), 0)


def _show(
    context: pb2.PatientContext, part: Part, person: events.Demographics, today: date
) -> None:
    match part:
        case Part.DISPLAY_NAME:
            context.display_name = display_name(person)
        case Part.PREFERRED_LANGUAGE:
            context.preferred_language = person.preferred_language
        case Part.BIRTH_DATE:
            context.birth_date = person.birth_date
        case Part.GENDER:
            context.gender = person.gender
        case Part.AGE:
            context.age = age_on(person.birth_date, today)
        case Part.PHONES:
            context.phones.extend(_phones(person))
        case Part.ADDRESS:
            context.address = _address(person)
        case Part.MEDICAL_RECORD_NUMBER:
            numbers = (one.value for one in person.identifiers if one.type == _RECORD_NUMBER)
            context.medical_record_number = next(numbers, "")
        case Part.RELATED_PERSONS:
            context.related_persons.extend(map(_related, person.related_persons))
        case _:
            # What is clinical was selected, and stands there already.
            return


def _item(entry: events.ClinicalEntry) -> pb2.ClinicalItem:
    return pb2.ClinicalItem(
        display=entry.display,
        code=entry.code,
        status=entry.status,
        start=entry.start,
        end=entry.end,
    )


def _said(name: events.PersonName) -> str:
    return " ".join([*name.given_names, name.family_name]).strip()


def _phones(person: events.Demographics) -> list[str]:
    return [one.value for one in person.telecoms if one.system in _PHONES and one.use != "old"]


def _address(person: events.Demographics) -> str:
    if not person.addresses:
        return ""
    first = person.addresses[0]
    region = " ".join(part for part in (first.state, first.postal_code) if part)
    return ", ".join(part for part in (*first.lines, first.city, region) if part)


def _related(person: events.RelatedPerson) -> str:
    """Give relationship, name and phones in one line."""
    phones = [one.value for one in person.telecoms if one.system in _PHONES and one.use != "old"]
    return ", ".join(part for part in (_said(person.name), person.relationship, *phones) if part)
