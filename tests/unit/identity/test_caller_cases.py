"""Callers made from Synthea's patients: who is matched by what they know, and who never is."""

import json
from collections import Counter, defaultdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from identity.domain.lookup import keys_of_identifiers, keys_of_record
from identity.domain.matching import Candidate, Identifiers, MatchPolicy, Reason, Result, match
from identity.domain.verification import (
    DECIDER,
    Level,
    Status,
    Verification,
    VerificationPolicy,
)
from identity.domain.verifying import take_identifiers
from unit.identity.fhir_candidates import candidates_of

POLICY = MatchPolicy()
LIMITS = VerificationPolicy()
AT = datetime(2024, 1, 1, tzinfo=UTC)
OF_THE_DECEASED = {"spouse_of_deceased", "caller_claims_to_be_deceased", "executor_of_deceased"}
HIMSELF = {"self_exact", "self_maiden", "self_no_diacritics"}


@pytest.fixture(scope="module")
def candidates(shared_data: Path) -> dict[str, Candidate]:
    return candidates_of(shared_data / "synthea_r4_patients_only.ndjson")


@pytest.fixture(scope="module")
def cases(shared_data: Path) -> list[dict[str, Any]]:
    with (shared_data / "caller_cases.ndjson").open() as lines:
        return [json.loads(line) for line in lines]


def said_in(case: dict[str, Any]) -> Identifiers:
    asserted = case["asserted"]
    return Identifiers(
        full_name=asserted["full_name"],
        birth_date=asserted.get("birthDate", ""),
        postal_code=asserted.get("postal", ""),
        phone=asserted.get("phone", ""),
        medical_record_number=asserted.get("mrn", ""),
    )


@pytest.fixture(scope="module")
def results(
    candidates: dict[str, Candidate], cases: list[dict[str, Any]]
) -> list[tuple[dict[str, Any], Result]]:
    everybody = tuple(candidates.values())
    return [(case, match(said_in(case), everybody, POLICY)) for case in cases]


Results = list[tuple[dict[str, Any], Result]]


def test_prints_the_table(results: Results, capsys: pytest.CaptureFixture[str]) -> None:
    table: defaultdict[str, Counter[str]] = defaultdict(Counter)
    for case, result in results:
        table[case["kind"]][result.reason] += 1
    with capsys.disabled():
        print()  # noqa: T201  the table is what this is for
        for kind, reasons in sorted(table.items()):
            counts = ", ".join(f"{reason} {count}" for reason, count in sorted(reasons.items()))
            print(f"  {kind:30} {counts}")  # noqa: T201  the same

    assert sum(map(sum, (reasons.values() for reasons in table.values()))) == len(results)


def test_the_patient_himself_is_matched_by_exact_maiden_and_undiacritised_names(
    results: Results,
) -> None:
    own = [
        (case, result)
        for case, result in results
        if case["kind"] in HIMSELF and not case["patient_deceased"]
    ]

    assert own
    for case, result in own:
        assert result.patient == f"patients/{case['patient_id']}", case["case"]


def test_nobody_reaches_a_deceased_patient(results: Results) -> None:
    dead = [(case, result) for case, result in results if case["patient_deceased"]]

    assert {case["kind"] for case, _ in dead} >= OF_THE_DECEASED
    assert [case["case"] for case, result in dead if result.patient is not None] == []


def test_a_birth_date_that_differs_reaches_nobody(
    results: Results, candidates: dict[str, Candidate]
) -> None:
    other_day = [
        result
        for case, result in results
        if case["asserted"].get("birthDate", "") != candidates[case["patient_id"]].birth_date
    ]

    assert other_day
    assert {result.patient for result in other_day} == {None}


def test_whoever_is_matched_is_matched_as_the_one_he_named(results: Results) -> None:
    for case, result in results:
        assert result.patient in (None, f"patients/{case['patient_id']}")


def test_a_spoofed_calling_number_and_a_name_match_nobody(results: Results) -> None:
    spoofed = [result for case, result in results if case["kind"] == "impostor_spoofed_ani"]

    assert {result.patient for result in spoofed} == {None}


def test_no_impostor_does_better_than_matched(results: Results) -> None:
    """Knowledge alone ends at MATCHED: there is no other result with a patient in it."""
    impostors = [result for case, result in results if not case["caller_is_patient"]]

    assert {result.reason for result in impostors if result.patient} == {Reason.MATCHED}
    for result in impostors:
        verification = Verification(status=Status.IDENTIFYING)
        events = take_identifiers(verification, patient=result.patient, at=AT, policy=LIMITS)
        assert DECIDER.fold(verification, events).level_at(AT) is not Level.VERIFIED


def test_a_tolerated_year_is_a_setting(
    candidates: dict[str, Candidate], cases: list[dict[str, Any]]
) -> None:
    off = [case for case in cases if case["kind"] == "self_dob_year_off_1"]
    everybody = tuple(candidates.values())

    tolerant = [
        match(said_in(case), everybody, MatchPolicy(birth_year_tolerance=1)) for case in off
    ]

    assert {result.patient is not None for result in tolerant} == {True}


@pytest.mark.parametrize("tolerance", [0, 2])
def test_the_keys_find_all_who_come_close(
    candidates: dict[str, Candidate], cases: list[dict[str, Any]], tolerance: int
) -> None:
    policy = MatchPolicy(birth_year_tolerance=tolerance)
    everybody = tuple(candidates.values())
    index = defaultdict(list)
    for candidate in everybody:
        for key in keys_of_record(candidate):
            index[key].append(candidate)

    for case in cases:
        said = said_in(case)
        keys = keys_of_identifiers(said, policy)
        found = {each.patient: each for key in keys for each in index[key]}
        by_keys = match(said, tuple(found.values()), policy)
        by_all = match(said, everybody, policy)
        assert (by_keys.patient, by_keys.reason) == (by_all.patient, by_all.reason)
        assert set(by_keys.close) == set(by_all.close)


def test_a_deceased_record_says_so_in_the_evaluation_alone(results: Results) -> None:
    reasons = {result.reason for case, result in results if case["kind"] in OF_THE_DECEASED}

    assert reasons == {Reason.DECEASED}
