from datetime import UTC, datetime
from typing import Any

import pytest
from careline.patient_context.events.v1.events_pb2 import ClinicalEntry
from patient_context.domain.clinical_record import MOST_SHOWN, Selected, is_restricted, select
from patient_context.domain.consent import Consent, Decision
from patient_context.domain.disclosure import Level, to_agent

AT = datetime(2026, 3, 1, 12, tzinfo=UTC)
EVERYTHING = to_agent(Level.VERIFIED, "TREAT", [], deceased=False, at=AT)


def entry(kind: str, status: str, start: str = "", **more: Any) -> ClinicalEntry:  # noqa: ANN401
    return ClinicalEntry(
        resource_type=kind, status=status, start=start, **{"display": kind, **more}
    )


def selected(*entries: ClinicalEntry, level: Level = Level.VERIFIED, **denied: Any) -> Selected:  # noqa: ANN401
    consents = [Consent(Decision.DENY, resource_types=frozenset({kind})) for kind in denied]
    return select(entries, to_agent(level, "TREAT", consents, deceased=False, at=AT), AT)


def test_conditions_shown_are_those_that_last() -> None:
    chosen = selected(
        entry("Condition", "active", "2020", display="a"),
        entry("Condition", "resolved", "2021", display="b"),
        entry("Condition", "relapse", "2022", display="c"),
        entry("Condition", "active", "2023", display="d", end="2024"),
        entry("Condition", "", "2019", display="e"),
        entry("Condition", "active", "2018", display="f", end="2026-03"),
        entry("Condition", "active", display="g"),
    )
    assert [one.display for one in chosen.conditions] == ["c", "a", "e", "f", "g"]


def test_medications_and_allergies_shown_are_active() -> None:
    chosen = selected(
        entry("MedicationRequest", "active"),
        entry("MedicationRequest", "on-hold", display="held"),
        entry("MedicationRequest", "stopped", display="stopped"),
        entry("AllergyIntolerance", "active"),
        entry("AllergyIntolerance", "resolved", display="gone"),
    )
    assert [one.status for one in chosen.medications] == ["active"]
    assert [one.status for one in chosen.allergies] == ["active"]


def test_what_is_prescribed_again_and_again_is_shown_once_as_of_last() -> None:
    again = [entry("MedicationRequest", "active", f"20{year:02d}") for year in range(10, 20)]
    chosen = selected(*again)
    assert [one.start for one in chosen.medications] == ["2019"]


def test_lists_are_bounded_newest_first() -> None:
    many = [entry("Condition", "active", f"{1800 + n}", display=str(n)) for n in range(150)]
    chosen = selected(*many)
    assert len(chosen.conditions) == MOST_SHOWN
    assert chosen.conditions[0].start == "1949"


def test_last_is_the_latest_that_is_over_and_next_the_earliest_that_is_not() -> None:
    chosen = selected(
        entry("Encounter", "finished", "2026-02-01T10:00:00-05:00", display="last"),
        entry("Encounter", "finished", "2025-02-01", display="before"),
        entry("Encounter", "in-progress", "2026-02-28", display="now"),
        entry("Encounter", "finished", "2027-01-01", display="wrong"),
        entry("Encounter", "planned", "2026-03-09", display="planned"),
        entry("Appointment", "booked", "2026-03-07T09:00:00Z", display="next"),
        entry("Appointment", "cancelled", "2026-03-02T09:00:00Z", display="cancelled"),
        entry("Appointment", "noshow", "2026-03-02T09:00:00Z", display="missed"),
        entry("Appointment", "booked", "2026-03-01T11:59:59Z", display="just past"),
        entry("Appointment", "proposed", display="no time"),
    )
    assert chosen.last_encounter is not None
    assert chosen.last_encounter.display == "last"
    assert chosen.next_encounter is not None
    assert chosen.next_encounter.display == "next"


@pytest.mark.parametrize(
    ("start", "is_next"),
    [
        ("2026-03-01", True),
        ("2026-02-28", False),
        ("2026-03-01T12:00:01Z", True),
        ("2026-03-01T12:00:00Z", False),
        ("2026-03-01T06:30:00-06:00", True),
        ("2026-03", True),
    ],
)
def test_a_planned_visit_that_names_a_day_may_begin_all_day(start: str, is_next: bool) -> None:
    chosen = selected(entry("Encounter", "planned", start))
    assert (chosen.next_encounter is not None) is is_next


@pytest.mark.parametrize(
    ("labels", "restricted"),
    [
        ([], False),
        (["N"], False),
        (["HTEST", "M"], False),
        (["42CFRPart2"], True),
        (["R"], True),
        (["N", "ETHUD"], True),
        (["a label of next year"], True),
    ],
)
def test_any_label_but_the_harmless_restricts(labels: list[str], restricted: bool) -> None:
    assert is_restricted(ClinicalEntry(security_labels=labels)) is restricted


def test_labelled_entries_are_not_shown_nor_taken_for_last_or_next() -> None:
    label: dict[str, Any] = {"security_labels": ["42CFRPart2"]}
    chosen = selected(
        entry("Condition", "active", **label),
        entry("Encounter", "finished", "2026-02-01", **label),
        entry("Encounter", "finished", "2025-02-01", display="shown"),
        entry("Appointment", "booked", "2026-03-07T09:00:00Z", **label),
    )
    assert chosen.conditions == ()
    assert chosen.last_encounter is not None
    assert chosen.last_encounter.display == "shown"
    assert chosen.next_encounter is None


def test_denied_types_are_not_picked() -> None:
    chosen = selected(
        entry("Condition", "active"),
        entry("Encounter", "planned", "2026-03-05", display="visit"),
        entry("Appointment", "booked", "2026-03-07T09:00:00Z", display="appointment"),
        Encounter=True,
        Condition=True,
    )
    assert chosen.conditions == ()
    assert chosen.next_encounter is not None
    assert chosen.next_encounter.display == "appointment"


def test_a_matched_caller_gets_the_next_visit_only() -> None:
    chosen = selected(
        entry("Condition", "active"),
        entry("Encounter", "finished", "2026-02-01"),
        entry("Appointment", "booked", "2026-03-07T09:00:00Z"),
        level=Level.MATCHED,
    )
    assert chosen.next_encounter is not None
    assert (chosen.conditions, chosen.last_encounter) == ((), None)
