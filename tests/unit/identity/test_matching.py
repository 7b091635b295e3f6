"""The rule of level 1: full name, exact birth date and one more, fitting exactly one record."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from identity.domain.lookup import keys_of_identifiers, keys_of_record
from identity.domain.matching import (
    Address,
    Candidate,
    Identifiers,
    MatchPolicy,
    PersonName,
    Reason,
    match,
)

POLICY = MatchPolicy()
RECORD = Candidate(
    patient="patients/a",
    names=(
        PersonName("Ordóñez García", ("José", "María")),
        PersonName("Wolff-O'Brien", ("José",)),
    ),
    birth_date="1972-03-03",
    addresses=(Address(("586 Jacobs Trailer", "Apt. 4"), "01013-2211"),),
    phones=("(617) 555-0101",),
    record_numbers=("MRN-00 1234",),
)
SAID = Identifiers(full_name="jose ordonez", birth_date="1972-03-03", phone="+16175550101")
BARE = replace(SAID, phone="")


def fits(said: Identifiers, *records: Candidate) -> bool:
    return match(said, records or (RECORD,), POLICY).patient is not None


@pytest.mark.parametrize(
    "name",
    [
        "José María Ordóñez García",
        "JOSE ORDONEZ",
        "Ordóñez, José",
        "Maria Garcia",
        "jose wolff",
        "Jose Wolff O'Brien",
        "jose obrien",
        "Jose Wolff-Ordóñez",
    ],
)
def test_takes_a_name_in_part_in_any_order_and_without_diacritics(name: str) -> None:
    assert fits(replace(SAID, full_name=name))


@pytest.mark.parametrize(
    "name", ["", "Jose", "Ordonez", "Jose Maria", "Jose Ordonez Smith", "Jos Ordonez", "J Ordonez"]
)
def test_refuses_a_name_that_is_not_whole_or_holds_more(name: str) -> None:
    assert not fits(replace(SAID, full_name=name))


def test_a_particle_is_no_family_name() -> None:
    record = replace(RECORD, names=(PersonName("de la Cruz", ("Ana",)),))

    assert not fits(replace(SAID, full_name="Ana de la"), record)
    assert fits(replace(SAID, full_name="Ana de la Cruz"), record)


def test_a_family_name_made_of_particles_alone_counts() -> None:
    record = replace(RECORD, names=(PersonName("Le", ("Ana",)),))

    assert fits(replace(SAID, full_name="Ana Le"), record)


def test_one_word_is_not_given_and_family_name_at_once() -> None:
    record = replace(RECORD, names=(PersonName("Thomas", ("Thomas",)),))

    assert not fits(replace(SAID, full_name="Thomas"), record)
    assert fits(replace(SAID, full_name="Thomas Thomas"), record)


@pytest.mark.parametrize("date", ["1972-03-04", "1973-03-03", "1972-3-3", "1972-03", "", "x"])
def test_refuses_any_other_birth_date(date: str) -> None:
    assert not fits(replace(SAID, birth_date=date))


def test_a_record_without_a_whole_birth_date_is_never_matched() -> None:
    assert not fits(replace(SAID, birth_date="1972-03"), replace(RECORD, birth_date="1972-03"))


@pytest.mark.parametrize(
    "third",
    [
        {"phone": "617 555 0101"},
        {"phone": "1-617-555-0101 ext. 7"},
        {"medical_record_number": "mrn001234"},
        {"postal_code": "01013", "street_line": "586 Jacobs Trlr."},
        {"postal_code": "01013-9999", "street_line": "586 JACOBS TRAILER APARTMENT 4"},
    ],
)
def test_takes_one_of_phone_record_number_and_address(third: dict[str, str]) -> None:
    assert fits(replace(BARE, **third))


@pytest.mark.parametrize(
    "third",
    [
        {},
        {"phone": "5550101"},
        {"phone": "617-555-0102"},
        {"medical_record_number": "12"},
        {"medical_record_number": "00123"},
        {"postal_code": "01013"},
        {"postal_code": "01013", "street_line": "Jacobs Trailer"},
        {"postal_code": "01014", "street_line": "586 Jacobs Trailer"},
        {"street_line": "586 Jacobs Trailer"},
        {"postal_code": "01013", "street_line": "587 Jacobs Trailer"},
    ],
)
def test_refuses_less_than_one_whole_further_identifier(third: dict[str, str]) -> None:
    assert not fits(replace(BARE, **third))


def test_two_records_that_fit_are_nobody() -> None:
    twin = replace(RECORD, patient="patients/b")

    result = match(SAID, (RECORD, twin), POLICY)

    assert result.patient is None
    assert result.reason is Reason.SEVERAL_RECORDS
    assert set(result.close) == {"patients/a", "patients/b"}


def test_a_deceased_record_stops_also_a_living_one_that_fits() -> None:
    dead = replace(RECORD, patient="patients/b", deceased=True)

    assert not fits(SAID, dead)
    assert not fits(SAID, RECORD, dead)


@pytest.mark.parametrize(
    "said",
    [
        replace(SAID, full_name="eve smith"),
        replace(SAID, birth_date="1980-01-01"),
        replace(SAID, phone="617-555-0199"),
    ],
)
def test_a_set_that_fails_in_one_part_comes_close_whichever_part_it_is(said: Identifiers) -> None:
    result = match(said, (RECORD,), POLICY)

    assert result == match(replace(said), (RECORD,), POLICY)
    assert result.close == ("patients/a",)
    assert result.reason is Reason.NO_RECORD


def test_a_set_that_fails_in_two_parts_is_about_nobody() -> None:
    result = match(replace(SAID, full_name="eve", phone=""), (RECORD,), POLICY)

    assert result.close == ()


words = st.text(max_size=30)


@given(st.builds(Identifiers, words, words, words, words, words, words))
def test_takes_any_text(said: Identifiers) -> None:
    keys_of_identifiers(said, MatchPolicy(birth_year_tolerance=2))

    assert match(said, (RECORD,), POLICY).patient is None


names = st.lists(
    st.builds(PersonName, st.text(max_size=12), st.tuples(st.text(max_size=12))), max_size=2
).map(tuple)
records = st.builds(
    Candidate,
    patient=st.just("patients/x"),
    names=names,
    birth_date=st.dates().map(str) | st.text(max_size=10),
    addresses=st.lists(
        st.builds(
            Address,
            st.tuples(st.text("0123456789 aStr.", max_size=12)),
            st.text("0123456789", max_size=5),
        ),
        max_size=2,
    ).map(tuple),
    phones=st.lists(st.text("0123456789+", max_size=12), max_size=2).map(tuple),
    record_numbers=st.lists(st.text(max_size=8), max_size=2).map(tuple),
)


@given(records)
def test_whoever_says_what_is_on_file_is_found_by_the_keys_and_judged_to_fit(
    record: Candidate,
) -> None:
    said = Identifiers(
        full_name=" ".join(f"{' '.join(name.given)} {name.family}" for name in record.names[:1]),
        birth_date=record.birth_date,
        postal_code=next((each.postal_code for each in record.addresses), ""),
        street_line=next((each.lines[0] for each in record.addresses), ""),
        phone=next(iter(record.phones), ""),
        medical_record_number=next(iter(record.record_numbers), ""),
    )

    result = match(said, (record,), POLICY)

    if result.close or result.patient:
        assert keys_of_identifiers(said, POLICY) & keys_of_record(record)
