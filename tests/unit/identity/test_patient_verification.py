"""The limits of one patient over all conversations."""

from datetime import UTC, datetime, timedelta

from identity.domain import patient_verification as domain
from identity.domain.patient_verification import PatientPolicy, PatientVerification

AT = datetime(2026, 3, 1, 12, tzinfo=UTC)
POLICY = PatientPolicy()
VERIFICATION = "verifications/018f0000-0000-7000-8000-00000000000d"


def test_five_failures_in_a_day_lock_until_the_first_is_a_day_old() -> None:
    patient = PatientVerification()
    for hour in range(5):
        assert not patient.is_locked(AT + timedelta(hours=hour), POLICY)
        patient = domain.DECIDER.fold(
            patient, domain.failed(VERIFICATION, AT + timedelta(hours=hour))
        )

    assert patient.is_locked(AT + timedelta(hours=23, minutes=59), POLICY)
    assert not patient.is_locked(AT + timedelta(hours=24), POLICY)


def test_a_match_resets_nothing() -> None:
    patient = PatientVerification()
    for _ in range(5):
        patient = domain.DECIDER.fold(patient, domain.failed(VERIFICATION, AT))
    patient = domain.DECIDER.fold(patient, domain.matched(VERIFICATION, AT))

    assert patient.is_locked(AT, POLICY)


def test_three_codes_go_out_in_half_an_hour_whatever_the_conversation() -> None:
    patient = PatientVerification()
    for _ in range(3):
        assert patient.may_send(AT, POLICY)
        patient = domain.DECIDER.fold(patient, domain.code_sent(VERIFICATION, AT))

    assert not patient.may_send(AT + timedelta(minutes=29), POLICY)
    assert patient.may_send(AT + timedelta(minutes=30), POLICY)


def test_remembers_a_bounded_number_of_times() -> None:
    patient = PatientVerification()
    for _ in range(200):
        patient = domain.DECIDER.fold(patient, domain.failed(VERIFICATION, AT))

    assert len(patient.failures) == domain.REMEMBERED
