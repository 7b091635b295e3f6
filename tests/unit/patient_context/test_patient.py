from datetime import UTC, datetime, timedelta

import pytest
from careline.patient_context.events.v1 import events_pb2 as events
from eventstore.decider import Rejected
from hypothesis import given
from hypothesis import strategies as st
from patient_context.domain import patient
from patient_context.domain.consent import Consent, Decision
from patient_context.domain.patient import PATIENT, Event, Patient, Status, TakenIn
from sealing.lifting import lift

AT = datetime(2026, 3, 1, 12, tzinfo=UTC)
NOBODY = Patient()


def taken(number: int = 1, parts: int | None = 2, *, record: int = 1) -> TakenIn:
    """What a source says; another `number` is another person's data, another `record` another's."""
    return TakenIn(
        events.Demographics(birth_date="1972-03-03"),
        deceased=False,
        demographics_digest=bytes([number]) * 32,
        parts=None if parts is None else [[events.ClinicalEntry(display="x")]] * parts,
        record_digest=b"" if parts is None else bytes([record]) * 32,
    )


def after(*given: Event) -> Patient:
    return PATIENT.fold(NOBODY, given)


def registered(what: TakenIn | None = None) -> Patient:
    return after(*patient.take_in(NOBODY, what or taken(), at=AT))


def erasing() -> Patient:
    known = registered()
    requested = patient.request_erasure(known, reason="PATIENT_REQUEST", at=AT)
    return PATIENT.fold(known, requested)


def erased() -> Patient:
    confirmed = patient.confirm_erasure(
        erasing(), subjects=["patients/1", "conversations/2"], at=AT
    )
    return PATIENT.fold(erasing(), confirmed)


def test_a_new_patient_is_registered_with_the_whole_record() -> None:
    happened = patient.take_in(NOBODY, taken(), at=AT)
    assert [type(one).__name__ for one in happened] == [
        "PatientRegistered",
        "ClinicalRecordTakenIn",
        "ClinicalRecordTakenIn",
    ]
    assert after(*happened).status is Status.REGISTERED


def test_the_same_again_is_nothing() -> None:
    assert patient.take_in(registered(), taken(), at=AT) == []


def test_only_what_changed_is_taken_in() -> None:
    (changed,) = patient.take_in(registered(), taken(2), at=AT)
    assert isinstance(changed, events.PatientDemographicsChanged)
    parts = patient.take_in(registered(), taken(1, 3, record=2), at=AT)
    assert [one.part for one in parts if isinstance(one, events.ClinicalRecordTakenIn)] == [0, 1, 2]


def test_a_source_that_says_nothing_of_the_record_leaves_it() -> None:
    assert patient.take_in(registered(), taken(parts=None), at=AT) == []


@given(st.integers(1, 40), st.integers(1, 16))
def test_a_record_taken_in_by_slices_is_whole_in_the_end(parts: int, slice_size: int) -> None:
    state, appends = NOBODY, 0
    while happened := patient.take_in(state, taken(parts=parts), at=AT):
        state = PATIENT.fold(state, happened[:slice_size])
        appends += 1
    assert state.record.parts == frozenset(range(parts))
    assert appends == -(-(parts + 1) // slice_size)


def test_another_record_begins_anew_and_the_first_again_too() -> None:
    halfway = PATIENT.fold(registered(), patient.take_in(registered(), taken(record=2), at=AT)[:1])
    assert len(patient.take_in(halfway, taken(record=2), at=AT)) == 1
    assert len(patient.take_in(halfway, taken(record=1), at=AT)) == 2


@pytest.mark.parametrize("state", [erasing(), erased()])
def test_who_is_erased_does_not_come_back(state: Patient) -> None:
    for command in (
        lambda: patient.take_in(state, taken(2), at=AT),
        lambda: patient.take_in(state, taken(), at=AT),
        lambda: patient.record_consent(state, "consents/1", Consent(Decision.DENY), at=AT),
        lambda: patient.revoke_consent(state, "consents/1", at=AT),
    ):
        with pytest.raises(Rejected) as refused:
            command()
        assert refused.value.reason == "PATIENT_ERASED"


def test_nobody_can_consent_or_be_erased() -> None:
    for command in (
        lambda: patient.record_consent(NOBODY, "consents/1", Consent(Decision.DENY), at=AT),
        lambda: patient.revoke_consent(NOBODY, "consents/1", at=AT),
        lambda: patient.request_erasure(NOBODY, reason="PATIENT_REQUEST", at=AT),
        lambda: patient.confirm_erasure(NOBODY, subjects=[], at=AT),
        lambda: patient.confirm_erasure(registered(), subjects=[], at=AT),
        lambda: patient.revoke_consent(registered(), "consents/1", at=AT),
    ):
        with pytest.raises(Rejected) as refused:
            command()
        assert refused.value.reason == "DENIED_OR_ABSENT"


def test_a_consent_is_recorded_once_counts_from_now_and_is_taken_back_once() -> None:
    deny = Consent(Decision.DENY, frozenset({"TREAT"}), end=AT + timedelta(days=1))
    recorded = patient.record_consent(registered(), "consents/1", deny, at=AT)
    assert recorded[0].start_time.ToDatetime(UTC) == AT
    state = PATIENT.fold(registered(), recorded)
    assert patient.record_consent(state, "consents/1", deny, at=AT) == []
    revoked = patient.revoke_consent(state, "consents/1", at=AT)
    state = PATIENT.fold(state, revoked)
    assert state.consents == frozenset()
    assert patient.revoke_consent(state, "consents/1", at=AT) == []
    assert patient.record_consent(state, "consents/1", deny, at=AT) == []


def test_an_erasure_is_requested_once_and_confirmed_once() -> None:
    assert patient.request_erasure(erasing(), reason="RETENTION_END", at=AT) == []
    assert erased().status is Status.ERASED
    assert erased().erased_subjects == 2
    assert erased().erase_time == AT
    assert patient.confirm_erasure(erased(), subjects=["patients/1"], at=AT) == []
    assert patient.request_erasure(erased(), reason="PATIENT_REQUEST", at=AT) == []


def test_a_confirmation_of_many_subjects_is_several_events() -> None:
    subjects = [f"conversations/{number}" for number in range(4_500)]
    confirmed = patient.confirm_erasure(erasing(), subjects=subjects, at=AT)
    assert [len(one.subjects) for one in confirmed] == [2_000, 2_000, 500]
    assert max(one.ByteSize() for one in confirmed) < 256 * 1024
    assert PATIENT.fold(erasing(), confirmed).erased_subjects == 4_500


def test_states_are_made_of_what_is_neither_pii_nor_phi() -> None:
    """Folding events whose sealed parts are gone gives the same state."""
    deny = Consent(Decision.DENY, resource_types=frozenset({"Condition"}))
    happened: list[Event] = [
        *patient.take_in(NOBODY, taken(), at=AT),
        *patient.take_in(registered(), taken(2), at=AT),
        *patient.record_consent(registered(), "consents/1", deny, at=AT),
        *patient.request_erasure(registered(), reason="PATIENT_REQUEST", at=AT),
        *patient.confirm_erasure(erasing(), subjects=["patients/1"], at=AT),
    ]
    sealed = [lift(event) for event in happened]
    assert sum(bool(one.paths) for one in sealed) == 5
    assert after(*happened) == after(*(one.public for one in sealed))
