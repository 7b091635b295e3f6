"""Finding rows by keyed hashes of what people say of themselves."""

import json
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sealing.blind_index import TOKEN_BYTES, BlindIndex
from sealing.normalisation import (
    InvalidBirthDate,
    InvalidEmail,
    InvalidIdentifier,
    InvalidPhone,
    name_tokens,
    normal_birth_date,
    normal_email,
    normal_identifier,
    normal_phone,
    sounds,
)

INDEX = BlindIndex(bytes(range(32)))
MRN = "http://hospital.smarthealthit.org"
SSN = "http://hl7.org/fhir/sid/us-ssn"


@pytest.mark.parametrize(
    "written",
    [
        "555-839-6872",
        "(555) 839-6872",
        "555.839.6872",
        "5558396872",
        "+1 555 839 6872",
        "1-555-839-6872",
        "tel:+1-555-839-6872",
        "555-839-6872 x12",
        " 555 839 6872 ",
        "\uff15\uff15\uff15-839-6872",
    ],
)
def test_a_us_number_is_one_number_however_it_is_written(written: str) -> None:
    assert normal_phone(written) == "+15558396872"


def test_a_number_from_abroad_needs_its_country_code_or_region() -> None:
    assert normal_phone("+44 20 7946 0958") == "+442079460958"
    assert normal_phone("020 7946 0958", region="GB") == "+442079460958"


@pytest.mark.parametrize(
    "written",
    ["", "chest pain", "839-6872", "911", "555", "5" * 40, "+", "+999 555 839 6872", "\0", "Ada"],
)
def test_what_is_no_phone_is_refused_without_repeating_it(written: str) -> None:
    with pytest.raises(InvalidPhone) as refusal:
        INDEX.phone(written)

    assert len(written) < 4 or written not in str(refusal.value)
    assert refusal.value.__cause__ is None


@pytest.mark.parametrize(
    ("written", "tokens"),
    [
        ("Adán465", {"adan"}),
        ("Mrs. Nuñez-O'Brien", {"mrs", "nunez", "obrien"}),
        ("O\u2019Brien", {"obrien"}),
        ("JOSÉ  María", {"jose", "maria"}),
        ("Jose\u0301 Mari\u0301a", {"jose", "maria"}),
        ("Smith\u2010Jones, Ann", {"smith", "jones", "ann"}),
        ("Strauß", {"strauss"}),
        ("STRAUSS", {"strauss"}),
        ("Łukasz Øster Ðorđe", {"lukasz", "oster", "dorde"}),
        ("İpek I\u015f\u0131k", {"ipek", "isik"}),
        ("\uff2a\uff4fhn", {"john"}),
        ("王 小明", {"王", "小明"}),
        ("465 -- '", set()),
        ("", set()),
    ],
)
def test_a_name_falls_into_its_parts(written: str, tokens: set[str]) -> None:
    assert name_tokens(written) == tokens


def test_the_order_of_names_does_not_matter() -> None:
    assert INDEX.name("María José", "Ordóñez") == INDEX.name("ordonez jose", "MARIA")


@pytest.mark.parametrize(
    ("said", "written"),
    [("Smyth", "Smith"), ("Katherine", "Catherine"), ("Jon", "John")],
)
def test_a_name_is_found_by_its_sound(said: str, written: str) -> None:
    assert INDEX.name_sound(said) == INDEX.name_sound(written) != frozenset()
    assert INDEX.name(said) != INDEX.name(written)


def test_names_of_other_scripts_have_no_sound_code_but_tokens() -> None:
    assert sounds("王 Ann") == sounds("Ann")
    assert len(INDEX.name("王")) == 1


def test_an_identifier_is_one_with_or_without_hyphens_and_case() -> None:
    assert INDEX.identifier(SSN, "999-64-1211") == INDEX.identifier(SSN, " 999641211 ")
    assert INDEX.identifier(SSN, "999\u201164\u20111211") == INDEX.identifier(SSN, "999641211")
    assert INDEX.identifier(MRN, "B0E18F77-1be9") == INDEX.identifier(MRN, "b0e18f771be9")
    assert INDEX.identifier(MRN, "1") != INDEX.identifier(SSN, "1")
    assert normal_identifier(" a ", "x") == ("a", "x")


@pytest.mark.parametrize(("system", "value"), [("", "1"), (MRN, ""), (MRN, " - "), (" ", "1")])
def test_an_identifier_needs_system_and_value(system: str, value: str) -> None:
    with pytest.raises(InvalidIdentifier):
        INDEX.identifier(system, value)


def test_an_email_is_one_whatever_its_case() -> None:
    assert INDEX.email(" Ada@Example.ORG ") == INDEX.email("ada@example.org")
    assert normal_email("ADA@example.org") == "ada@example.org"


@pytest.mark.parametrize("written", ["", "ada", "@example.org", "ada@", "a@b@c", "a b@c"])
def test_what_is_no_email_is_refused(written: str) -> None:
    with pytest.raises(InvalidEmail):
        INDEX.email(written)


def test_a_birth_date_is_found_whole_by_year_and_by_month_and_day() -> None:
    known, other_year = INDEX.birth_date("1988-02-18"), INDEX.birth_date("1989-02-18")

    assert known.month_day == other_year.month_day
    assert known.year != other_year.year
    assert known.whole != other_year.whole
    assert INDEX.birth_date("1988").year == known.year
    assert INDEX.birth_date("1988").whole is INDEX.birth_date("1988-02").month_day is None
    assert normal_birth_date("1988-02-18").month_day == "02-18"


@pytest.mark.parametrize(
    "written",
    ["", "1988-02-30", "1988-13", "02/18/1988", "1988-2-18", "0000", "19880218", "\uff11988"],
)
def test_what_is_no_date_is_refused_without_repeating_it(written: str) -> None:
    with pytest.raises(InvalidBirthDate) as refusal:
        INDEX.birth_date(written)

    assert not written or written not in str(refusal.value)


def test_tokens_of_one_kind_never_equal_those_of_another() -> None:
    tokens = [
        INDEX.phone("555-839-6872"),
        INDEX.email("a@b"),
        INDEX.identifier("name", "smith"),
        *INDEX.name("smith"),
        *INDEX.name_sound("smith"),
        INDEX.birth_date("1988-02-18").whole,
        INDEX.birth_date("1988-02-18").year,
    ]

    assert len(set(tokens)) == len(tokens)
    assert INDEX._token("phone", "same") != INDEX._token("email", "same")
    assert {len(token) for token in tokens if token} == {TOKEN_BYTES}


def test_without_the_key_nothing_is_found() -> None:
    other = BlindIndex(bytes(32))

    assert other.phone("555-839-6872") != INDEX.phone("555-839-6872")
    assert other.name("Ada") != INDEX.name("Ada")
    assert bytes(range(32)).hex() not in repr(INDEX)


@given(st.text(max_size=40))
def test_any_text_falls_into_parts_that_stay_as_they_are(text: str) -> None:
    tokens = name_tokens(text)

    assert name_tokens(*tokens) == tokens
    assert all(map(str.isalpha, tokens))
    assert len(INDEX.name(text)) == len(tokens)
    assert len(sounds(text)) <= len(tokens)


@given(st.text(max_size=40))
def test_any_text_is_indexed_or_refused_as_what_it_should_be(text: str) -> None:
    with suppress(InvalidPhone):
        INDEX.phone(text)
    with suppress(InvalidEmail):
        INDEX.email(text)
    with suppress(InvalidBirthDate):
        INDEX.birth_date(text)
    with suppress(InvalidIdentifier):
        INDEX.identifier(MRN, text)


def test_every_synthetic_patient_can_be_found_by_phone_name_and_birth_date(
    shared_data: Path,
) -> None:
    lines = (shared_data / "synthea_r4_patients_only.ndjson").read_text().splitlines()
    assert len(lines) == 243
    for line in lines:
        patient = json.loads(line)
        for telecom in patient.get("telecom", ()):
            assert len(INDEX.phone(telecom["value"])) == TOKEN_BYTES
        for name in patient["name"]:
            assert INDEX.name(name["family"], *name["given"])
            assert INDEX.name_sound(name["family"], *name["given"])
        for identifier in patient["identifier"]:
            assert INDEX.identifier(identifier["system"], identifier["value"])
        assert INDEX.birth_date(patient["birthDate"]).whole
