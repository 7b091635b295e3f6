from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st
from patient_context.domain.consent import Consent, Decision
from patient_context.domain.disclosure import (
    AGENT_PURPOSES,
    NOTHING,
    TYPES_OF,
    Allowance,
    Level,
    Part,
    to_agent,
    to_registration,
)

AT = datetime(2026, 3, 1, 12, tzinfo=UTC)
LEVELS = st.sampled_from(Level)
CONSENTS = st.lists(
    st.builds(
        Consent,
        st.sampled_from(Decision),
        st.frozensets(st.sampled_from(["TREAT", "HPAYMT"])),
        st.frozensets(st.sampled_from(["Patient", "Condition", "Appointment", "Encounter"])),
    ),
    max_size=4,
)


def shown(
    level: Level, *consents: Consent, purpose: str = "TREAT", dead: bool = False
) -> Allowance:
    return to_agent(level, purpose, consents, deceased=dead, at=AT)


def deny(*types: str) -> Consent:
    return Consent(Decision.DENY, resource_types=frozenset(types))


def test_an_anonymous_caller_is_told_nothing() -> None:
    assert shown(Level.ANONYMOUS) == NOTHING
    assert NOTHING.is_nothing


def test_a_matched_caller_is_told_name_language_and_the_next_date() -> None:
    allowed = shown(Level.MATCHED)
    assert allowed.parts == {Part.DISPLAY_NAME, Part.PREFERRED_LANGUAGE, Part.NEXT_ENCOUNTER}
    assert allowed.date_only
    assert allowed.types == {"Patient", "Appointment", "Encounter"}
    assert "conditions: caller level" in allowed.withheld
    assert "birth_date: caller level" in allowed.withheld


def test_a_verified_caller_gets_the_screen_pop_without_labelled_entries() -> None:
    allowed = shown(Level.VERIFIED)
    assert allowed.parts == frozenset(Part)
    assert not allowed.date_only
    assert allowed.labelled == frozenset()
    assert allowed.withheld == ("labelled entries: caller level",)


def test_labelled_entries_need_the_highest_level_and_the_patients_permission() -> None:
    permit = Consent(Decision.PERMIT, resource_types=frozenset({"Condition"}))
    assert shown(Level.VERIFIED, permit).labelled == frozenset()
    assert shown(Level.HIGH).labelled == frozenset()
    assert shown(Level.HIGH).withheld == ("labelled entries: consent",)
    assert shown(Level.HIGH, permit).labelled == {"Condition"}
    assert shown(Level.HIGH, permit, deny("Condition")).labelled == frozenset()


def test_a_denial_removes_what_it_names() -> None:
    allowed = shown(Level.VERIFIED, deny("MedicationRequest", "RelatedPerson"))
    assert frozenset(Part) - allowed.parts == {Part.MEDICATIONS, Part.RELATED_PERSONS}
    assert "medications: consent" in allowed.withheld
    assert "MedicationRequest" not in allowed.types


def test_a_denial_of_one_kind_of_visit_leaves_the_other() -> None:
    allowed = shown(Level.VERIFIED, deny("Encounter"))
    assert Part.NEXT_ENCOUNTER in allowed.parts
    assert Part.LAST_ENCOUNTER not in allowed.parts
    assert "Appointment" in allowed.types
    assert "Encounter" not in allowed.types


def test_a_denial_of_everything_leaves_nothing() -> None:
    assert shown(Level.VERIFIED, Consent(Decision.DENY)).is_nothing
    only_payment = Consent(Decision.DENY, purposes=frozenset({"HPAYMT"}))
    assert shown(Level.VERIFIED, only_payment, purpose="HPAYMT").is_nothing
    assert not shown(Level.VERIFIED, only_payment).is_nothing


@pytest.mark.parametrize("purpose", ["", "PATRQT", "HSYSADMIN", "ETREAT"])
def test_agents_need_a_purpose_of_care(purpose: str) -> None:
    assert shown(Level.HIGH, purpose=purpose).is_nothing


def test_of_who_has_died_nobody_who_calls_is_told_anything() -> None:
    assert shown(Level.HIGH, dead=True).is_nothing


def test_registration_sees_who_somebody_is_and_nothing_clinical() -> None:
    allowed = to_registration("PATADMIN", [], at=AT)
    assert allowed.types == {"Patient"}
    assert Part.MEDICAL_RECORD_NUMBER in allowed.parts
    assert "conditions: purpose" in allowed.withheld
    assert to_registration("TREAT", [], at=AT).is_nothing
    assert to_registration("PATADMIN", [deny("Patient")], at=AT).is_nothing


@given(LEVELS, LEVELS, CONSENTS)
def test_a_higher_level_is_never_told_less(
    one: Level, other: Level, consents: list[Consent]
) -> None:
    lower, higher = sorted((one, other))
    assert shown(lower, *consents).parts <= shown(higher, *consents).parts


@given(LEVELS, CONSENTS, st.sampled_from(sorted(AGENT_PURPOSES)))
def test_nothing_denied_is_ever_shown_and_nothing_hidden_goes_unsaid(
    level: Level, consents: list[Consent], purpose: str
) -> None:
    allowed = shown(level, *consents, purpose=purpose)
    for consent in consents:
        if consent.decision is Decision.DENY and purpose in (consent.purposes or {purpose}):
            assert not allowed.types & consent.resource_types
            assert consent.resource_types or allowed.is_nothing
    if not allowed.is_nothing:
        unsaid = {part for part in Part if part not in allowed.parts} - {
            Part(line.partition(":")[0])
            for line in allowed.withheld
            if not line.startswith("labelled")
        }
        assert unsaid == set()
    assert all(allowed.types & set(TYPES_OF[part]) for part in allowed.parts)
