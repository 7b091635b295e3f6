"""An agent's factors: what counts, what locks, and that one factor never locks the other."""

from datetime import UTC, datetime, timedelta

import pytest
from eventstore.decider import Rejected
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule
from identity.domain import agent as domain
from identity.domain.agent import Agent, Factor
from identity.domain.lockout import LockoutPolicy

AT = datetime(2026, 3, 1, 12, tzinfo=UTC)
POLICY = LockoutPolicy()
SESSION = "sessions/018f0000-0000-7000-8000-000000000001"


def after(agent: Agent, events: list[domain.Event]) -> Agent:
    return domain.DECIDER.fold(agent, events)


def enrolled() -> Agent:
    created = after(
        Agent(), domain.create(Agent(), user_name="n", display_name="N", roles=["agent"])
    )
    return after(created, domain.enroll_totp(created))


def prove_password(agent: Agent, *, right: bool, at: datetime = AT) -> Agent:
    return after(
        agent, domain.prove_password(agent, right=right, session=SESSION, at=at, policy=POLICY)
    )


def prove_totp(agent: Agent, step: int | None, at: datetime = AT) -> Agent:
    return after(agent, domain.prove_totp(agent, step=step, session=SESSION, at=at, policy=POLICY))


def test_is_created_once() -> None:
    with pytest.raises(Rejected, match="CONFLICT"):
        domain.create(enrolled(), user_name="n", display_name="N", roles=["agent"])


def test_keeps_roles_sorted_and_without_repeats() -> None:
    agent = after(
        Agent(),
        domain.create(Agent(), user_name="n", display_name="N", roles=["nurse", "agent", "nurse"]),
    )

    assert agent.roles == ("agent", "nurse")


def test_assigning_the_same_roles_is_already_so() -> None:
    assert domain.assign_roles(enrolled(), ["agent"]) == []


def test_wrong_passwords_do_not_lock_the_authenticator() -> None:
    agent = enrolled()
    for _ in range(5):
        agent = prove_password(agent, right=False)

    assert agent.password.is_locked(AT)
    assert not agent.totp.is_locked(AT)


def test_a_right_password_is_not_evaluated_during_a_lockout() -> None:
    agent = enrolled()
    for _ in range(5):
        agent = prove_password(agent, right=False)

    for right in (True, False):
        with pytest.raises(Rejected, match="SIGN_IN_REFUSED") as refusal:
            prove_password(agent, right=right, at=AT + timedelta(minutes=14))
        assert refusal.value.metadata == {}


def test_a_right_password_after_the_lockout_resets_the_count() -> None:
    agent = enrolled()
    for _ in range(5):
        agent = prove_password(agent, right=False)
    agent = prove_password(agent, right=True, at=AT + timedelta(minutes=15))

    assert agent.password.lockouts == 0


def test_a_locked_authenticator_says_until_when() -> None:
    agent = enrolled()
    for _ in range(5):
        agent = prove_totp(agent, None)

    with pytest.raises(Rejected, match="LOCKED_OUT") as refusal:
        prove_totp(agent, 10)
    assert refusal.value.metadata == {"until": "2026-03-01T12:15:00+00:00"}


@pytest.mark.parametrize("step", [6, 7])
def test_a_time_step_counts_once_and_none_before_it(step: int) -> None:
    agent = prove_totp(enrolled(), 7)

    agent = prove_totp(agent, step)

    assert agent.totp.failures == 1


def test_without_an_authenticator_no_code_is_right() -> None:
    bare = after(Agent(), domain.create(Agent(), user_name="n", display_name="N", roles=["agent"]))

    with pytest.raises(Rejected, match="SIGN_IN_REFUSED"):
        prove_totp(bare, 7)


def test_a_new_authenticator_may_use_a_step_that_the_old_one_used() -> None:
    agent = prove_totp(enrolled(), 7)
    agent = after(agent, domain.enroll_totp(agent))

    assert prove_totp(agent, 7).last_totp_step == 7


def test_a_suspended_agent_proves_nothing_and_gets_nothing() -> None:
    agent = after(enrolled(), domain.suspend(enrolled(), "LEFT"))

    with pytest.raises(Rejected, match="SIGN_IN_REFUSED"):
        prove_password(agent, right=True)
    with pytest.raises(Rejected, match="SIGN_IN_REFUSED"):
        prove_totp(agent, 7)
    with pytest.raises(Rejected, match="DENIED_OR_ABSENT"):
        domain.enroll_totp(agent)
    with pytest.raises(Rejected, match="DENIED_OR_ABSENT"):
        domain.assign_roles(agent, ["nurse"])
    assert domain.suspend(agent, "LEFT") == []


def test_nobody_is_suspended_who_is_not_there() -> None:
    with pytest.raises(Rejected, match="DENIED_OR_ABSENT"):
        domain.suspend(Agent(), "LEFT")


def test_remembers_a_bounded_number_of_sessions() -> None:
    agent = enrolled()
    for step in range(40):
        agent = prove_totp(agent, step)

    assert len(agent.sessions) == domain.SESSIONS_REMEMBERED


class SigningIn(RuleBasedStateMachine):
    """Any mix of right and wrong factors over time."""

    def __init__(self) -> None:
        super().__init__()
        self.agent = enrolled()
        self.history: list[domain.Event] = []
        self.at = AT
        self.wrong_in_a_row = {Factor.PASSWORD: 0, Factor.TOTP: 0}
        self.accepted: list[int] = []

    def take(self, events: list[domain.Event], factor: Factor, *, right: bool) -> None:
        self.history += events
        self.agent = after(self.agent, events)
        self.wrong_in_a_row[factor] = 0 if right else self.wrong_in_a_row[factor] + 1

    @rule(minutes=st.integers(0, 40))
    def wait(self, minutes: int) -> None:
        self.at += timedelta(minutes=minutes)

    @rule(right=st.booleans())
    def password(self, right: bool) -> None:
        locked = self.agent.password.is_locked(self.at)
        try:
            events = domain.prove_password(
                self.agent, right=right, session=SESSION, at=self.at, policy=POLICY
            )
        except Rejected:
            assert locked
            return
        assert not locked
        self.take(events, Factor.PASSWORD, right=right)

    @rule(step=st.one_of(st.none(), st.integers(0, 20)))
    def totp(self, step: int | None) -> None:
        locked = self.agent.totp.is_locked(self.at)
        try:
            events = domain.prove_totp(
                self.agent, step=step, session=SESSION, at=self.at, policy=POLICY
            )
        except Rejected:
            assert locked
            return
        right = step is not None and step > max(self.accepted, default=-1)
        if right and step is not None:
            self.accepted.append(step)
        self.take(events, Factor.TOTP, right=right)

    @invariant()
    def accepted_steps_only_grow(self) -> None:
        assert self.accepted == sorted(set(self.accepted))

    @invariant()
    def no_more_than_four_failures_stand_without_a_lockout(self) -> None:
        assert self.agent.password.failures < POLICY.failures
        assert self.agent.totp.failures < POLICY.failures

    @invariant()
    def replaying_the_events_gives_the_same_agent(self) -> None:
        assert after(enrolled(), self.history) == self.agent

    @precondition(lambda self: self.wrong_in_a_row[Factor.PASSWORD] >= 5)
    @invariant()
    def five_wrong_passwords_in_a_row_locked_out_at_least_once(self) -> None:
        assert self.agent.password.lockouts >= 1


TestSigningIn = SigningIn.TestCase
TestSigningIn.settings = settings(max_examples=60, stateful_step_count=40, deadline=None)
