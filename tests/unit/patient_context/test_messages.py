from datetime import UTC, date, datetime

import pytest
from careline.patient_context.events.v1 import events_pb2 as events
from careline.patient_context.v1.patient_service_pb2 import ClinicalItem, PatientContext
from patient_context.adapters.messages import age_on, display_name, screen_pop
from patient_context.application.screen_pop import Shown
from patient_context.domain.clinical_record import select
from patient_context.domain.disclosure import Allowance, Level, to_agent, to_registration

AT = datetime(2026, 3, 1, 12, tzinfo=UTC)
PERSON = events.Demographics(
    names=[events.PersonName(family_name="Ordóñez", given_names=["José", "María"])],
    birth_date="1972-03-02",
    gender="male",
    telecoms=[
        events.ContactPoint(system="phone", use="mobile", value="+16175550123"),
        events.ContactPoint(system="phone", use="old", value="+16175550199"),
        events.ContactPoint(system="email", value="a@example.org"),
    ],
    addresses=[
        events.PostalAddress(
            lines=["548 Corwin Ferry"], city="Boston", state="MA", postal_code="02108"
        )
    ],
    identifiers=[events.Identifier(system="x", type="MR", value="4711")],
    preferred_language="es",
    related_persons=[
        events.RelatedPerson(
            relationship="GUARD",
            name=events.PersonName(family_name="Ordóñez", given_names=["Ana"]),
            telecoms=[events.ContactPoint(system="phone", value="+16175550121")],
        )
    ],
)
ENTRIES = [
    events.ClinicalEntry(
        resource_type="Appointment",
        display="Cardiology",
        code="a|b",
        status="booked",
        start="2026-03-07T09:00:00Z",
        end="2026-03-07T09:30:00Z",
    ),
    events.ClinicalEntry(resource_type="Condition", display="Diabetes", status="active"),
]


def shown(allowance: Allowance) -> PatientContext:
    selected = select(ENTRIES, allowance, AT)
    return screen_pop(
        Shown("patients/1", PERSON, selected, allowance, Level.VERIFIED, "disclosures/1", AT)
    )


def test_a_verified_callers_screen_pop_has_all_of_it() -> None:
    context = shown(to_agent(Level.VERIFIED, "TREAT", [], deceased=False, at=AT))
    assert context.display_name == "José María Ordóñez"
    assert (context.birth_date, context.gender, context.age) == ("1972-03-02", "male", 53)
    assert context.preferred_language == "es"
    assert list(context.phones) == ["+16175550123"]
    assert context.address == "548 Corwin Ferry, Boston, MA 02108"
    assert context.medical_record_number == "4711"
    assert list(context.related_persons) == ["Ana Ordóñez, GUARD, +16175550121"]
    assert [one.display for one in context.conditions] == ["Diabetes"]
    assert context.next_encounter.display == "Cardiology"


def test_of_a_matched_callers_next_visit_only_the_date_is_shown() -> None:
    context = shown(to_agent(Level.MATCHED, "TREAT", [], deceased=False, at=AT))
    assert context == PatientContext(
        name="patients/1",
        display_name="José María Ordóñez",
        preferred_language="es",
        next_encounter=ClinicalItem(start="2026-03-07T09:00:00Z"),
    )


def test_registration_sees_nothing_clinical() -> None:
    context = shown(to_registration("PATADMIN", [], at=AT))
    assert context.medical_record_number == "4711"
    assert not context.conditions
    assert not context.HasField("next_encounter")
    assert not context.related_persons


@pytest.mark.parametrize(
    ("born", "age"),
    [
        ("1972-03-01", 54),
        ("1972-03-02", 53),
        ("2024-02-29", 2),
        ("2026-03-01", 0),
        ("2030-01-01", 0),
        ("1972", 0),
        ("", 0),
    ],
)
def test_an_age_is_whole_years_on_that_day(born: str, age: int) -> None:
    assert age_on(born, date(2026, 3, 1)) == age


def test_who_has_no_name_is_shown_without() -> None:
    assert display_name(events.Demographics()) == ""
