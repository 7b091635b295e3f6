from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st
from identity.domain.lockout import NO_FAILURES, FailureCount, LockoutPolicy

AT = datetime(2026, 3, 1, 12, tzinfo=UTC)
POLICY = LockoutPolicy()


def fail(count: FailureCount, at: datetime) -> FailureCount:
    until = count.lockout_on_failure(at, POLICY)
    failed = count.failed()
    return failed if until is None else failed.locked_out(until)


def test_the_fifth_failure_locks_out_for_a_quarter_of_an_hour() -> None:
    count = NO_FAILURES
    for _ in range(4):
        count = fail(count, AT)
        assert not count.is_locked(AT)

    count = fail(count, AT)

    assert count.until == AT + timedelta(minutes=15)
    assert count.is_locked(AT + timedelta(minutes=14, seconds=59))
    assert not count.is_locked(AT + timedelta(minutes=15))


def test_each_further_lockout_is_twice_as_long_up_to_a_day() -> None:
    count, at, minutes = NO_FAILURES, AT, []
    for _ in range(9):
        for _ in range(5):
            count = fail(count, at)
        assert count.until is not None
        minutes.append((count.until - at) / timedelta(minutes=1))
        at = count.until

    assert minutes == [15, 30, 60, 120, 240, 480, 960, 1440, 1440]


@given(st.integers(0, 10_000))
def test_any_number_of_lockouts_gives_a_time(lockouts: int) -> None:
    count = FailureCount(failures=4, lockouts=lockouts)

    until = count.lockout_on_failure(AT, POLICY)

    assert until is not None
    assert until <= AT + POLICY.longest
