"""How often something was guessed wrong in a row, and for how long it may not be guessed again."""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final


@dataclass(frozen=True, slots=True)
class LockoutPolicy:
    """After `failures` in a row nothing is evaluated for `first`, then for twice as long each time,
    up to `longest`.
    """

    failures: int = 5
    first: timedelta = timedelta(minutes=15)
    longest: timedelta = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class FailureCount:
    """Failures since the last success or lockout, lockouts since the last success, and the end of
    the latest lockout.
    """

    failures: int = 0
    lockouts: int = 0
    until: datetime | None = None

    def is_locked(self, at: datetime) -> bool:
        return self.until is not None and at < self.until

    def lockout_on_failure(self, at: datetime, policy: LockoutPolicy) -> datetime | None:
        """Tell until when one more failure locks out; None when it does not."""
        if self.failures + 1 < policy.failures:
            return None
        duration = policy.first
        for _ in range(self.lockouts):
            if duration >= policy.longest:
                break
            duration *= 2
        return at + min(duration, policy.longest)

    def failed(self) -> "FailureCount":
        return replace(self, failures=self.failures + 1)

    def locked_out(self, until: datetime) -> "FailureCount":
        return FailureCount(failures=0, lockouts=self.lockouts + 1, until=until)


NO_FAILURES: Final = FailureCount()
