import pytest
from careline.patient_context.events.v1.events_pb2 import (
    ContactPoint,
    Demographics,
    Identifier,
    PersonName,
)
from careline.patient_context.v1.patient_service_pb2 import FindPatientsRequest
from patient_context.adapters.read_model.tokens import tokens_of
from patient_context.adapters.wanted import wanted
from patient_context.application.known_patient import KnownPatient
from runtime.refusal import FieldsInvalid
from sealing.blind_index import BlindIndex

INDEX = BlindIndex(b"k" * 32)
PERSON = Demographics(
    names=[
        PersonName(use="official", family_name="Ordóñez", given_names=["José María"]),
        PersonName(use="maiden", family_name="O'Brien-Smith"),
    ],
    birth_date="1972-03-03",
    telecoms=[
        ContactPoint(system="phone", use="mobile", value="+16175550123"),
        ContactPoint(system="phone", use="old", value="+16175550199"),
        ContactPoint(system="email", value="a@example.org"),
        ContactPoint(system="phone", value="extension 12"),
    ],
    identifiers=[
        Identifier(system="http://hospital.example", type="MR", value="D-47 11"),
        Identifier(system="http://hl7.org/fhir/sid/us-ssn", type="SS", value="999-72-7900"),
        Identifier(system="http://hospital.example", type="MR", value="-"),
    ],
)
KNOWN = KnownPatient("patients/1", PERSON, deceased=False, entries=())


@pytest.mark.parametrize(
    "asked",
    [
        FindPatientsRequest(phone="(617) 555-0123"),
        FindPatientsRequest(medical_record_number="d4711"),
        FindPatientsRequest(person_name="ordonez, JOSE", birth_date="1972-03-03"),
        FindPatientsRequest(person_name="obrien", birth_date="1972-03-03"),
        FindPatientsRequest(phone="617-555-0123", person_name="Maria"),
    ],
)
def test_whoever_fits_has_all_the_tokens(asked: FindPatientsRequest) -> None:
    search = wanted(asked)
    assert search.tokens(INDEX) <= tokens_of(PERSON, INDEX)
    assert search.fits(KNOWN)
    assert not search.is_too_broad(by_name_alone=False)


@pytest.mark.parametrize(
    "asked",
    [
        FindPatientsRequest(phone="(617) 555-0124"),
        FindPatientsRequest(phone="(617) 555-0199"),
        FindPatientsRequest(medical_record_number="999-72-7900"),
        FindPatientsRequest(person_name="Ordóñez Juan", birth_date="1972-03-03"),
        FindPatientsRequest(person_name="Ordóñez", birth_date="1972-03-04"),
        FindPatientsRequest(phone="617-555-0123", birth_date="1972-03-04"),
    ],
)
def test_whoever_does_not_fit_lacks_a_token(asked: FindPatientsRequest) -> None:
    search = wanted(asked)
    assert not search.tokens(INDEX) <= tokens_of(PERSON, INDEX)
    assert not search.fits(KNOWN)


@pytest.mark.parametrize(
    ("asked", "alone"),
    [
        (FindPatientsRequest(), True),
        (FindPatientsRequest(birth_date="1972-03-03"), True),
        (FindPatientsRequest(person_name="Ordóñez"), True),
        (FindPatientsRequest(person_name="José Ordóñez"), False),
    ],
)
def test_a_search_that_names_too_little_is_too_broad(
    asked: FindPatientsRequest, alone: bool
) -> None:
    assert wanted(asked).is_too_broad(by_name_alone=False)
    assert wanted(asked).is_too_broad(by_name_alone=True) is alone


@pytest.mark.parametrize(
    ("asked", "fields"),
    [
        (FindPatientsRequest(phone="12"), ["phone"]),
        (FindPatientsRequest(medical_record_number="--"), ["medical_record_number"]),
        (FindPatientsRequest(birth_date="1972"), ["birth_date"]),
        (FindPatientsRequest(birth_date="1972-02-30"), ["birth_date"]),
        (FindPatientsRequest(person_name="12 34"), ["person_name"]),
        (FindPatientsRequest(person_name="a b " * 100), ["person_name"]),
        (FindPatientsRequest(person_name=" ".join("abcdefghijklmnopq")), ["person_name"]),
        (FindPatientsRequest(phone="x", birth_date="y"), ["phone", "birth_date"]),
    ],
)
def test_what_can_not_be_read_is_named(asked: FindPatientsRequest, fields: list[str]) -> None:
    with pytest.raises(FieldsInvalid) as refused:
        wanted(asked)
    assert [one.field for one in refused.value.violations] == fields
