"""Verifying a caller: the limits of one conversation hold whatever the order of tries."""

from datetime import UTC, datetime, timedelta

import pytest
from eventstore.decider import Rejected
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule
from identity.domain import verification as domain
from identity.domain import verifying
from identity.domain.verification import Level, Status, Verification, VerificationPolicy
from identity.domain.verifying import remaining_tries

AT = datetime(2026, 3, 1, 12, tzinfo=UTC)
POLICY = VerificationPolicy()
PATIENT = "patients/018f0000-0000-7000-8000-00000000000a"
FRONTEND = "serviceAccounts/018f0000-0000-7000-8000-00000000000b"
CONVERSATION = "conversations/018f0000-0000-7000-8000-00000000000c"


def after(verification: Verification, events: list[domain.Event]) -> Verification:
    return domain.DECIDER.fold(verification, events)


def start(verification: Verification, at: datetime = AT) -> Verification:
    return after(
        verification,
        verifying.start(
            verification,
            conversation=CONVERSATION,
            channel="SMS",
            purpose="TREAT",
            frontend=FRONTEND,
            at=at,
        ),
    )


def identify(verification: Verification, patient: str | None, at: datetime = AT) -> Verification:
    return after(
        verification,
        verifying.take_identifiers(verification, patient=patient, at=at, policy=POLICY),
    )


def send(verification: Verification, name: str = "codes/1", at: datetime = AT) -> Verification:
    return after(verification, verifying.send_code(verification, code=name, at=at, policy=POLICY))


def confirm(verification: Verification, *, right: bool, at: datetime = AT) -> Verification:
    return after(
        verification, verifying.confirm_code(verification, right=right, at=at, policy=POLICY)
    )


def matched() -> Verification:
    return identify(start(Verification()), PATIENT)


def test_goes_from_identifiers_by_a_code_to_verified() -> None:
    verified = confirm(send(matched()), right=True)

    assert verified.status is Status.VERIFIED
    assert verified.level_at(AT) is Level.VERIFIED
    assert verified.patient == PATIENT


def test_identifiers_alone_never_reach_more_than_matched() -> None:
    assert matched().level_at(AT) is Level.MATCHED
    with pytest.raises(Rejected, match="VERIFICATION_STATE"):
        confirm(matched(), right=True)


def test_a_level_ends() -> None:
    assert matched().level_at(AT + POLICY.level_lifetime) is Level.ANONYMOUS
    with pytest.raises(Rejected, match="VERIFICATION_STATE"):
        send(matched(), at=AT + POLICY.level_lifetime)


def test_the_third_failed_set_exhausts_the_conversation() -> None:
    verification = start(Verification())
    left = []
    for _ in range(3):
        left.append(remaining_tries(verification, AT, POLICY))
        verification = identify(verification, None)

    assert left == [3, 2, 1]
    assert verification.status is Status.EXHAUSTED
    with pytest.raises(Rejected, match="VERIFICATION_EXHAUSTED"):
        identify(verification, PATIENT)


def test_beginning_anew_resets_no_count_and_keeps_no_level() -> None:
    verification = start(identify(start(Verification()), None))
    assert remaining_tries(verification, AT, POLICY) == 2

    again = start(confirm(send(identify(verification, PATIENT)), right=True))

    assert again.level_at(AT) is Level.ANONYMOUS
    assert again.patient == ""
    assert again.sends != ()


def test_an_exhausted_conversation_can_not_begin_anew() -> None:
    verification = start(Verification())
    for _ in range(3):
        verification = identify(verification, None)

    with pytest.raises(Rejected, match="VERIFICATION_EXHAUSTED"):
        start(verification)


def test_a_code_is_tried_three_times() -> None:
    verification = send(matched())
    for _ in range(3):
        verification = confirm(verification, right=False)

    with pytest.raises(Rejected, match="VERIFICATION_STATE"):
        confirm(verification, right=True)
    assert send(verification, "codes/2").code.tries == 0


def test_a_right_code_that_comes_too_late_is_wrong() -> None:
    verification = confirm(send(matched()), right=True, at=AT + POLICY.code_lifetime)

    assert verification.level_at(AT + POLICY.code_lifetime) is Level.MATCHED
    assert verification.code.tries == 1


def test_a_confirmed_code_is_used_up() -> None:
    with pytest.raises(Rejected, match="VERIFICATION_STATE"):
        confirm(confirm(send(matched()), right=True), right=True)


def test_three_codes_are_sent_in_half_an_hour() -> None:
    verification = matched()
    for minute in range(3):
        verification = send(verification, at=AT + timedelta(minutes=minute))

    with pytest.raises(Rejected, match="VERIFICATION_EXHAUSTED"):
        send(verification, at=AT + timedelta(minutes=29))
    assert len(send(verification, at=AT + timedelta(minutes=30)).sends) == 4


def test_nine_wrong_codes_exhaust_the_conversation() -> None:
    verification = matched()
    for _ in range(3):
        verification = send(verification)
        for _ in range(3):
            verification = confirm(verification, right=False)

    assert verification.status is Status.EXHAUSTED
    assert verification.level_at(AT) is Level.ANONYMOUS
    with pytest.raises(Rejected, match="VERIFICATION_EXHAUSTED"):
        send(verification)
    with pytest.raises(Rejected, match="VERIFICATION_EXHAUSTED"):
        confirm(verification, right=True)


class Caller(RuleBasedStateMachine):
    """Somebody who tries anything in any order within one conversation."""

    def __init__(self) -> None:
        super().__init__()
        self.verification = start(Verification())
        self.history: list[domain.Event] = []
        self.at = AT
        self.failed_sets = 0
        self.guesses: list[datetime] = []

    def take(self, events: list[domain.Event]) -> None:
        self.history += events
        self.verification = after(self.verification, events)

    @rule(minutes=st.integers(0, 20))
    def wait(self, minutes: int) -> None:
        self.at += timedelta(minutes=minutes)

    @rule()
    def begin(self) -> None:
        try:
            events = verifying.start(
                self.verification,
                conversation=CONVERSATION,
                channel="CHAT",
                purpose="TREAT",
                frontend=FRONTEND,
                at=self.at,
            )
        except Rejected:
            return
        self.take(events)

    @rule(patient=st.sampled_from([None, PATIENT]))
    def identify(self, patient: str | None) -> None:
        try:
            events = verifying.take_identifiers(
                self.verification, patient=patient, at=self.at, policy=POLICY
            )
        except Rejected:
            return
        self.failed_sets += patient is None
        self.take(events)

    @rule()
    def send(self) -> None:
        try:
            events = verifying.send_code(
                self.verification, code=f"codes/{len(self.history)}", at=self.at, policy=POLICY
            )
        except Rejected:
            return
        self.take(events)

    @rule()
    def guess(self) -> None:
        try:
            events = verifying.confirm_code(
                self.verification, right=False, at=self.at, policy=POLICY
            )
        except Rejected:
            return
        self.guesses.append(self.at)
        self.take(events)

    @invariant()
    def at_most_three_sets_are_judged_wrong(self) -> None:
        assert self.failed_sets <= POLICY.identifier_tries

    @invariant()
    def at_most_three_codes_go_out_in_any_half_hour(self) -> None:
        sends = self.verification.sends
        for first, fourth in zip(sends, sends[3:], strict=False):
            assert fourth - first >= POLICY.send_window

    @invariant()
    def nobody_is_verified_by_guesses_that_are_wrong(self) -> None:
        assert self.verification.level_at(self.at) is not Level.VERIFIED

    @invariant()
    def no_more_than_nine_guesses_of_one_half_hours_codes_are_evaluated(self) -> None:
        window = POLICY.send_window - POLICY.code_lifetime
        recent = [guess for guess in self.guesses if guess > self.at - window]
        assert len(recent) <= POLICY.sends * POLICY.code_tries + POLICY.code_tries

    @invariant()
    def replaying_the_events_gives_the_same_verification(self) -> None:
        assert after(start(Verification()), self.history) == self.verification


TestCaller = Caller.TestCase
TestCaller.settings = settings(max_examples=80, stateful_step_count=40, deadline=None)
