from typing import Any

import pytest
from patient_context.adapters.fhir.not_fhir import NotFhir
from patient_context.adapters.fhir.patient import RelatedPersonRead
from patient_context.adapters.fhir.resource import read_resource
from patient_context.application.source_patient import SourceId
from unit.patient_context.fhir import NOW, Json, as_patient, concept, patient, record_number

LANGUAGES = "urn:ietf:bcp:47"


def test_the_usual_name_comes_first_and_names_no_longer_used_last() -> None:
    read = as_patient(
        patient(
            name=[
                {"use": "old", "family": "Shaw"},
                {"use": "maiden", "family": "Ibarra"},
                {"use": "official", "family": "Baxter", "given": ["Amy", "V."]},
                {"family": "Over", "period": {"end": "2020-07-22"}},
                {"use": "usual", "text": "Amy B."},
            ]
        )
    )
    assert [(name.use, name.family_name) for name in read.demographics.names] == [
        ("usual", "Amy B."),
        ("official", "Baxter"),
        ("maiden", "Ibarra"),
        ("old", "Shaw"),
        ("old", "Over"),
    ]
    assert list(read.demographics.names[1].given_names) == ["Amy", "V."]


def test_phones_are_written_as_e164_and_know_since_when() -> None:
    read = as_patient(
        patient(
            telecom=[
                {
                    "system": "phone",
                    "value": "555-612-5695",
                    "use": "mobile",
                    "period": {"start": "2024-05"},
                },
                {"system": "sms", "value": "(617) 555-0123", "period": {"end": "2025"}},
                {"system": "phone", "value": "extension 12"},
                {"system": "email", "value": "a@example.org"},
                {"system": "url", "value": "https://example.org"},
            ]
        )
    )
    assert [(one.system, one.use, one.value, one.since) for one in read.demographics.telecoms] == [
        ("phone", "mobile", "+15556125695", "2024-05"),
        ("sms", "old", "+16175550123", ""),
        ("phone", "", "extension 12", ""),
        ("email", "", "a@example.org", ""),
    ]


def test_only_addresses_that_hold_now_are_taken_home_first() -> None:
    read = as_patient(
        patient(
            address=[
                {"use": "work", "line": ["9 Mill Road"]},
                {"use": "old", "line": ["1 Gone Street"]},
                {"line": ["2 Gone Street"], "period": {"end": "2020"}},
                {"use": "home", "line": ["548 Corwin Ferry"], "city": "Boston", "state": "MA"},
            ]
        )
    )
    assert [list(one.lines) for one in read.demographics.addresses] == [
        ["548 Corwin Ferry"],
        ["9 Mill Road"],
    ]


@pytest.mark.parametrize(
    ("communication", "language"),
    [
        ([], ""),
        ([("es", None)], "es"),
        ([("en-US", None), ("es", True)], "es"),
        ([("en-US", False), ("es", False)], "en-US"),
        ([("klingon language", True)], ""),
    ],
)
def test_the_language_is_the_preferred_one_or_the_first(
    communication: list[tuple[str, bool | None]], language: str
) -> None:
    spoken = [
        {"language": concept(LANGUAGES, code)} | ({} if flag is None else {"preferred": flag})
        for code, flag in communication
    ]
    assert as_patient(patient(communication=spoken)).demographics.preferred_language == language


@pytest.mark.parametrize(
    ("changes", "deceased"),
    [
        ({}, False),
        ({"deceasedBoolean": False}, False),
        ({"deceasedBoolean": True}, True),
        ({"deceasedDateTime": "2007-03-25T19:08:38+00:00"}, True),
    ],
)
def test_a_patient_has_died_by_flag_or_date(changes: Json, deceased: bool) -> None:
    assert as_patient(patient(**changes)).deceased is deceased


def test_a_patient_is_known_by_record_number_else_by_id_else_by_any_identifier() -> None:
    assert as_patient(patient()).source == SourceId("http://hospital.example", "4711")
    ssn = {"system": "http://hl7.org/fhir/sid/us-ssn", "value": "999-72-7900"}
    without = as_patient(patient(identifier=[ssn]))
    assert without.source == SourceId("", "p1")
    assert without.demographics.identifiers[0].type == "SS"
    nameless = patient(identifier=[ssn])
    del nameless["id"]
    assert as_patient(nameless).source.value == "999-72-7900"
    both = [record_number("9"), record_number("10")]
    assert (
        as_patient(patient(identifier=both)).source
        == as_patient(patient(identifier=both[::-1])).source
    )


@pytest.mark.parametrize(
    ("changes", "path", "reason"),
    [
        ({"gender": "zzz"}, "Patient.gender", "not one of the codes of this field"),
        ({"birthDate": "03/03/1972"}, "Patient.birthDate", "not as FHIR R4 has it"),
        ({"birthDate": "1972-02-30"}, "Patient.birthDate", "not as FHIR R4 has it"),
        ({"name": {"family": "X"}}, "Patient.name", "not a list"),
        ({"name": [{"family": 7}]}, "Patient.name[0].family", "not a string"),
        ({"name": [{"use": "artist"}]}, "Patient.name[0].use", "not one of the codes"),
        ({"deceasedBoolean": "true"}, "Patient.deceasedBoolean", "not true or false"),
        ({"deceasedBoolean": 1}, "Patient.deceasedBoolean", "not true or false"),
        ({"id": "x" * 65}, "Patient.id", "not a FHIR id"),
        ({"Smith John": 1}, "Patient", "has a field that FHIR R4 does not know here"),
        ({"name": [{"Smith": 1}]}, "Patient.name[0]", "has a field that FHIR R4 does not know"),
        ({"telecom": [{"system": "pigeon"}]}, "Patient.telecom[0].system", "not one of the codes"),
        ({"telecom": [{"value": "a\u0007b"}]}, "Patient.telecom[0].value", "control characters"),
        ({"name": [{"family": "x"}] * 201}, "Patient.name", "more than 200 of them"),
        ({"communication": [{}]}, "Patient.communication[0].language", "missing"),
        (
            {"link": [{"other": {"reference": "Patient/2"}, "type": "replaced-by"}]},
            "Patient.link[0]",
            "replaced by another record",
        ),
        ({"identifier": [], "id": None}, "Patient", ""),
    ],
)
def test_what_is_no_patient_is_refused_by_path_and_without_values(
    changes: Json, path: str, reason: str
) -> None:
    with pytest.raises(NotFhir) as refused:
        as_patient(patient(**changes))
    assert refused.value.path.startswith(path)
    assert reason in refused.value.reason
    assert "Smith" not in str(refused.value)


def test_a_choice_is_one_of_two() -> None:
    with pytest.raises(NotFhir):
        as_patient(patient(deceasedBoolean=True, deceasedDateTime="2020"))


def test_a_patient_without_number_and_id_is_refused() -> None:
    nobody = patient(identifier=[])
    del nobody["id"]
    with pytest.raises(NotFhir) as refused:
        as_patient(nobody)
    assert refused.value.path == "Patient.identifier"


def test_demographics_are_bounded() -> None:
    with pytest.raises(NotFhir, match="demographics of more than"):
        as_patient(patient(name=[{"family": "x" * 2000}] * 100))


def _related(**changes: Any) -> Json:  # noqa: ANN401
    roles = "http://terminology.hl7.org/CodeSystem/v3-RoleCode"
    return {
        "resourceType": "RelatedPerson",
        "patient": {"reference": "Patient/p1"},
        "relationship": [
            concept("http://terminology.hl7.org/CodeSystem/v2-0131", "N"),
            concept(roles, "GUARD"),
        ],
        "name": [{"family": "Du Marché"}],
        "telecom": [{"system": "phone", "value": "+33 1 23 45 67 89"}],
        **changes,
    }


def test_a_guardian_is_read_with_the_role_code() -> None:
    read = read_resource(_related(), None, NOW).content
    assert isinstance(read, RelatedPersonRead)
    assert (read.reference, read.related_person.relationship) == ("Patient/p1", "GUARD")
    assert read.related_person.telecoms[0].value == "+33123456789"


@pytest.mark.parametrize("over", [{"active": False}, {"period": {"end": "2020"}}])
def test_a_relation_that_holds_no_more_is_only_counted(over: Json) -> None:
    assert read_resource(_related(**over), None, NOW).content is None
