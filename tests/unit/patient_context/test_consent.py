from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from patient_context.domain.consent import Consent, Decision, is_denied, is_permitted

AT = datetime(2026, 3, 1, 12, tzinfo=UTC)
DAY = timedelta(days=1)
DENY, PERMIT = Decision.DENY, Decision.PERMIT
TYPES = st.sampled_from(["Patient", "Condition", "Encounter"])
PURPOSES = st.sampled_from(["TREAT", "HPAYMT"])
CONSENTS = st.builds(
    Consent,
    st.sampled_from(Decision),
    st.frozensets(PURPOSES),
    st.frozensets(TYPES),
    st.sampled_from([None, AT - DAY, AT, AT + DAY]),
    st.sampled_from([None, AT - DAY, AT, AT + DAY]),
)


def _denied(*consents: Consent) -> bool:
    return is_denied(consents, "Condition", purpose="TREAT", at=AT)


@pytest.mark.parametrize(
    ("consent", "denied"),
    [
        (Consent(DENY), True),
        (Consent(PERMIT), False),
        (Consent(DENY, purposes=frozenset({"TREAT"})), True),
        (Consent(DENY, purposes=frozenset({"HPAYMT"})), False),
        (Consent(DENY, resource_types=frozenset({"Condition", "Patient"})), True),
        (Consent(DENY, resource_types=frozenset({"Patient"})), False),
        (Consent(DENY, start=AT), True),
        (Consent(DENY, start=AT + DAY), False),
        (Consent(DENY, end=AT), False),
        (Consent(DENY, end=AT + DAY), True),
    ],
)
def test_a_denial_counts_for_what_it_names_and_when(consent: Consent, denied: bool) -> None:
    assert _denied(consent) is denied


def test_without_a_decision_nothing_is_denied_and_nothing_permitted() -> None:
    assert not _denied()
    assert not is_permitted([], "Condition", purpose="TREAT", at=AT)


def test_a_denial_overrides_a_permission_however_narrow_or_new() -> None:
    narrow = Consent(PERMIT, frozenset({"TREAT"}), frozenset({"Condition"}), start=AT)
    assert _denied(Consent(DENY, start=AT - DAY), narrow)
    assert not is_permitted([Consent(DENY), narrow], "Condition", purpose="TREAT", at=AT)
    assert is_permitted([narrow], "Condition", purpose="TREAT", at=AT)


@given(st.lists(CONSENTS, max_size=6), CONSENTS, TYPES, PURPOSES)
def test_no_permission_ever_lifts_a_denial(
    consents: list[Consent], more: Consent, kind: str, purpose: str
) -> None:
    denied = is_denied(consents, kind, purpose=purpose, at=AT)
    with_more = is_denied([*consents, more], kind, purpose=purpose, at=AT)
    assert with_more or not denied
    if more.decision is PERMIT:
        assert with_more == denied
    assert not (with_more and is_permitted([*consents, more], kind, purpose=purpose, at=AT))
