import json
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from patient_context.adapters.fhir.bundle_file import BundleFile
from patient_context.adapters.fhir.strict_json import LARGEST_RESOURCE
from unit.patient_context.fhir import NOW, Json, bundle, condition, patient, record_number, taken

OBSERVATION = {"resourceType": "Observation", "id": "o1"}


def _refused(value: Json | bytes, part: int = 1 << 20) -> tuple[str, str]:
    """Feed a file that is refused whole, and give path and reason."""
    file, joined = taken(value, part)
    assert joined == []
    assert not file.outcome.resources
    (refusal,) = file.outcome.refused
    return refusal.where.path, refusal.reason


def test_a_patient_comes_with_what_is_about_the_patient_in_any_order() -> None:
    file, (joined,) = taken(bundle(condition(), OBSERVATION, patient()))
    assert file.outcome.refused == []
    assert file.outcome.patients == 1
    assert dict(file.outcome.resources) == {"Condition": 1, "Observation": 1, "Patient": 1}
    assert [entry.display for entry in joined.patient.entries] == ["Diabetes"]


@pytest.mark.parametrize("kind", ["transaction", "collection"])
def test_entries_refer_by_full_url_and_by_id(kind: str) -> None:
    url = "urn:uuid:d39173c2-7DC5-4a08-aba0-3f14f6b70d94"
    content = bundle(patient(), condition(subject={"reference": url.lower()}), kind=kind)
    content["entry"][0]["fullUrl"] = url
    content["entry"].append({"resource": condition(id="c2")})
    versioned = {"reference": "Patient/p1/_history/3"}
    content["entry"].append({"resource": condition(id="c3", subject=versioned)})
    file, (joined,) = taken(content)
    assert file.outcome.refused == []
    assert {entry.resource_id for entry in joined.patient.entries} == {"c1", "c2", "c3"}


def test_what_is_wrong_is_refused_and_the_rest_goes_in() -> None:
    file, (joined,) = taken(
        bundle(
            patient(),
            condition(onsetDateTime="soon"),
            condition(id="c2"),
            {"resourceType": "Tumour"},
            condition(id="c3", subject={"reference": "Patient/nobody"}),
            condition(id="c4", subject={"reference": "Patient?identifier=http://x|4711"}),
        )
    )
    assert [(one.where.path, one.reason) for one in file.outcome.refused] == [
        ("Bundle.entry[1].resource.onsetDateTime", "not as FHIR R4 has it"),
        ("Bundle.entry[3].resource.resourceType", "no resource type of FHIR R4"),
        ("Bundle.entry[4].resource.subject", "refers to no patient that was taken in with it"),
        ("Bundle.entry[5].resource.subject", "refers to no patient that was taken in with it"),
    ]
    assert [entry.resource_id for entry in joined.patient.entries] == ["c2"]


def test_two_patients_do_not_mix() -> None:
    _, joined = taken(
        bundle(
            patient(),
            patient(id="p2", identifier=[record_number("4712")]),
            condition(),
            condition(id="c2", subject={"reference": "Patient/p2"}),
        )
    )
    assert {
        one.patient.source.value: [entry.resource_id for entry in one.patient.entries]
        for one in joined
    } == {"4711": ["c1"], "4712": ["c2"]}


def test_a_patient_who_comes_twice_counts_once_and_not_otherwise_than_before() -> None:
    file, joined = taken(bundle(patient(), patient(), patient(birthDate="1999-01-01")))
    assert len(joined) == file.outcome.patients == 1
    (refusal,) = file.outcome.refused
    assert refusal.reason == "the same patient again, and not as before"


def test_deletions_and_searches_are_not_taken_in() -> None:
    content = bundle(patient())
    content["entry"].append({"request": {"method": "DELETE", "url": "Patient/7"}})
    content["entry"].append({"fullUrl": "urn:x"})
    file, _ = taken(content)
    assert [one.where.path for one in file.outcome.refused] == [
        "Bundle.entry[1].request.method",
        "Bundle.entry[2].resource",
    ]


def test_type_and_resource_type_may_come_last() -> None:
    content = bundle(patient())
    turned = {name: content[name] for name in ("entry", "type", "resourceType")}
    assert len(taken(turned)[1]) == 1


@pytest.mark.parametrize(
    ("file", "reason"),
    [
        (b"", "ends too early"),
        (b"   ", "ends too early"),
        (b"null", "not JSON"),
        (b"[]", "not JSON"),
        (b"{}", "not a Bundle"),
        (b'{"resourceType":"Patient"}', "not a Bundle"),
        (b'{"resourceType":"Bundle"}', "not a transaction or collection"),
        (b'{"resourceType":"Bundle","type":"searchset"}', "not a transaction or collection"),
        (b'{"resourceType":"Bundle","type":"transaction","entry":{}}', "not JSON"),
        (b'{"resourceType":"Bundle","type":"transaction","entry":[]}', "an empty list"),
        (b'{"resourceType":"Bundle","type":"transaction","entry":[{},]}', "not JSON"),
        (b'{"resourceType":"Bundle","type":"transaction"} more', "not JSON"),
        (b'{"resourceType":"Bundle","type":"transaction"', "ends too early"),
        (b'{"resourceType":"Bundle","type":"transaction","entry":[{"a":', "not JSON"),
        (b'{"resourceType":"Bundle","John Smith":1}', "FHIR R4 does not know"),
        (b'{"resourceType":"Bundle","resourceType":"Bundle"}', "names a field twice"),
        (b'{"resourceType":"Bundle","total":NaN}', "a number that is none"),
        (b'{"resourceType":"Bundle","total":' + b"1" * 5000 + b"}", "too many digits"),
        (b'{"resourceType":"Bundle","link":[{"a":1,"a":2}]}', "names a field twice"),
        (b'\xff{"resourceType":"Bundle"}', "not UTF-8"),
        (b'{"resourceType":"B\xc3', "not UTF-8"),
        (b'{"meta":' + b"[" * 100_000, "nested too deep"),
        (b'{"meta":' + b'{"a":' * 100_000, "nested too deep"),
    ],
)
@pytest.mark.parametrize("part", [1 << 20, 7])
def test_what_is_no_bundle_to_its_end_is_refused_whole(file: bytes, reason: str, part: int) -> None:
    assert reason in _refused(file, max(part, len(file) // 1000))[1]


def test_a_bundle_that_breaks_off_takes_nothing_in() -> None:
    whole = json.dumps(bundle(patient(), condition())).encode()
    for end in range(len(whole)):
        _refused(whole[:end])


def test_an_entry_larger_than_we_take_is_refused_before_it_is_whole() -> None:
    opened = b'{"resourceType":"Bundle","type":"collection","entry":[{"fullUrl":"'
    path, reason = _refused(opened + b"x" * (LARGEST_RESOURCE * 2), 1 << 19)
    assert path == "Bundle.entry[0]"
    assert reason.startswith("larger than")


def test_a_long_resource_in_tiny_parts_costs_no_more_than_a_few_readings() -> None:
    note = {"resourceType": "Binary", "id": "b", "data": "x" * 300_000}
    file, _ = taken(bundle(note), 16)
    assert dict(file.outcome.resources) == {"Binary": 1}


def test_a_deeply_nested_resource_is_refused_and_the_rest_goes_in() -> None:
    extension: Json = {"url": "http://x"}
    for _ in range(300):
        extension = {"url": "http://x", "extension": [extension]}
    file, joined = taken(bundle(patient(), condition(extension=[extension])))
    assert len(joined) == 1
    assert [one.reason for one in file.outcome.refused] == ["nested too deep"]


def test_what_is_kept_of_a_patient_is_bounded() -> None:
    labels = {"security": [{"code": f"{number}{'x' * 2000}"} for number in range(40)]}
    phones = [{"system": "phone", "value": f"{number}{'x' * 1000}"} for number in range(40)]
    guardian = {
        "resourceType": "RelatedPerson",
        "patient": {"reference": "Patient/p1"},
        "telecom": phones,
    }
    file, (joined,) = taken(bundle(patient(), condition(meta=labels), *[guardian] * 3))
    assert [one.where.path for one in file.outcome.refused] == [
        "Bundle.entry[1].resource",
        "Bundle.entry[3].resource",
        "Bundle.entry[4].resource",
    ]
    assert len(joined.patient.demographics.related_persons) == 1
    file, (joined,) = taken(bundle(patient(), *[{**guardian, "telecom": phones[:1]}] * 60))
    assert len(joined.patient.demographics.related_persons) == 50
    assert len(file.outcome.refused) == 10


def test_refusals_are_listed_up_to_a_bound() -> None:
    file, _ = taken(bundle(*[{"resourceType": "Nothing"}] * 1500))
    assert len(file.outcome.refused) == 1000
    assert file.outcome.more_refused == 500


@settings(max_examples=60, deadline=None)
@given(st.lists(st.integers(1, 400), min_size=1, max_size=60))
def test_a_bundle_reads_the_same_however_it_is_cut(sizes: list[int]) -> None:
    text = json.dumps(
        bundle(patient(), condition(), condition(id="c2"), OBSERVATION),
        ensure_ascii=False,
        indent=1,
    )
    content = text.encode()
    file, at = BundleFile(0, NOW), 0
    for number, size in enumerate(sizes):
        end = len(content) if number == len(sizes) - 1 else min(at + size, len(content))
        for _ in file.feed(content[at:end], last=number == len(sizes) - 1):
            continue
        at = end
    (joined,) = file.join()
    assert file.outcome.refused == []
    assert joined.patient.demographics.names[0].given_names == ["José María"]
    assert len(joined.patient.entries) == 2


@pytest.mark.parametrize("name", ["Bundle-bundle-transaction", "Bundle-bundle-example"])
def test_hl7s_examples_are_taken_as_far_as_they_are_transactions(
    shared_data: Path, name: str
) -> None:
    file, joined = taken((shared_data / "hl7_r4_examples" / f"{name}.json").read_bytes())
    if name == "Bundle-bundle-example":
        assert file.outcome.refused[0].reason == "not a transaction or collection"
    else:
        assert joined
        # Two of its patients are told apart by nothing, and it deletes and searches.
        refused = {one.where.path.rpartition(".")[2] for one in file.outcome.refused}
        assert refused == {"identifier", "method"}


def test_every_synthea_bundle_is_one_patient_and_nothing_is_refused(shared_data: Path) -> None:
    for path in sorted((shared_data / "synthea_r4_bundles").glob("[!_]*.json"))[::10]:
        file, (joined,) = taken(path.read_bytes(), 300_000)
        assert file.outcome.refused == []
        kinds = ("Condition", "MedicationRequest", "AllergyIntolerance", "Encounter")
        assert len(joined.patient.entries) == sum(file.outcome.resources[kind] for kind in kinds)
