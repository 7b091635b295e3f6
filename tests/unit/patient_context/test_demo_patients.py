import json
from datetime import date

import phonenumbers
import pytest
from careline_cli.demo_patients import demo_bundles
from patient_context.adapters.fhir.patients import Joined
from patient_context.domain.clinical_record import is_restricted, select
from patient_context.domain.disclosure import Level, to_agent
from unit.patient_context.fhir import NOW, taken

TODAY = NOW.date()


@pytest.fixture(scope="module")
def people() -> list[Joined]:
    """The twelve, as our own ingest reads them: one a bundle, nothing refused."""
    read = []
    for content in demo_bundles(seed=1, today=TODAY):
        file, (joined,) = taken(content)
        assert file.outcome.refused == []
        read.append(joined)
    return read


def test_the_same_seed_and_day_give_the_same_bytes() -> None:
    assert demo_bundles(seed=1, today=TODAY) == demo_bundles(seed=1, today=TODAY)
    assert demo_bundles(seed=1, today=TODAY) != demo_bundles(seed=2, today=TODAY)


def test_they_are_twelve_and_the_same_on_another_day(people: list[Joined]) -> None:
    assert len({joined.patient.source for joined in people}) == 12
    for content, joined in zip(demo_bundles(seed=1, today=date(2031, 6, 1)), people, strict=True):
        _, (later,) = taken(content)
        assert later.patient.source == joined.patient.source
        assert later.patient.demographics == joined.patient.demographics


def test_every_entry_is_posted_and_refers_within_the_bundle() -> None:
    for content in demo_bundles(seed=1, today=TODAY):
        bundle = json.loads(content)
        urls = [entry["fullUrl"] for entry in bundle["entry"]]
        assert len(set(urls)) == len(urls)
        for entry in bundle["entry"]:
            assert entry["request"] == {
                "method": "POST",
                "url": entry["resource"]["resourceType"],
            }


def test_the_first_is_an_adult_whom_a_code_can_reach_with_a_visit_to_come(
    people: list[Joined],
) -> None:
    first = people[0].patient
    assert first.demographics.birth_date < "2000"
    assert first.demographics.preferred_language == "en"
    assert first.demographics.telecoms[0].use == "mobile"
    allowed = to_agent(Level.VERIFIED, "TREAT", [], deceased=False, at=NOW)
    selected = select(first.entries, allowed, NOW)
    assert selected.conditions
    assert selected.medications
    assert selected.allergies
    assert selected.last_encounter is not None
    assert selected.next_encounter is not None


def test_among_them_are_a_minor_a_dead_and_a_spanish_speaker_and_two_who_share_a_phone(
    people: list[Joined],
) -> None:
    minor = people[1].patient.demographics
    assert minor.birth_date > "2009"
    (guardian,) = minor.related_persons
    assert guardian.relationship == "MTH"
    assert guardian.name.family_name
    assert guardian.telecoms[0].value
    assert [joined.patient.deceased for joined in people].count(True) == 1
    assert people[2].patient.deceased
    assert people[3].patient.demographics.preferred_language == "es"
    phones = [point.value for one in people for point in one.patient.demographics.telecoms]
    assert phones.count("+16175550150") == 2
    assert any(is_restricted(entry) for entry in people[6].patient.entries)


def test_all_phones_are_fictional_and_possible(people: list[Joined]) -> None:
    for joined in people:
        demographics = joined.patient.demographics
        points = [*demographics.telecoms]
        for person in demographics.related_persons:
            points += person.telecoms
        for point in points:
            if point.system == "phone":
                assert "+16175550100" <= point.value <= "+16175550199"
                assert phonenumbers.is_possible_number(phonenumbers.parse(point.value))
