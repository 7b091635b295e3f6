"""What a run of the oracle found."""

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Followed:
    """What a follower saw, held against the log; misplaced: with a wrong position before it."""

    seen: int
    missed: int
    extra: int
    misplaced: int
    in_order: bool

    @property
    def is_exact(self) -> bool:
        return self.in_order and not (self.missed or self.extra or self.misplaced)


@dataclass(frozen=True, slots=True)
class Report:
    """`answers` and `faults` count what happened, `violations` what never may (none: empty)."""

    seconds: float
    events: int
    streams: int
    answers: Mapping[str, int]
    faults: Mapping[str, int]
    violations: Mapping[str, int]
    follower: Followed
    unfenced: Followed

    @property
    def passed(self) -> bool:
        """Whether no promise was broken, and the run was such that a broken one had shown."""
        return not self.violations and self.follower.is_exact and self.unfenced.missed > 0

    def text(self) -> str:
        lines = [
            f"{self.events} events on {self.streams} streams in {self.seconds:.0f} s",
            f"answers: {_counts(self.answers)}",
            f"faults: {_counts(self.faults)}",
            f"violations: {_counts(self.violations)}",
            f"follower: {_followed(self.follower)}",
            f"unfenced follower, which must lose events: {_followed(self.unfenced)}",
            "passed" if self.passed else "FAILED",
        ]
        return "\n".join(lines) + "\n"


def _counts(counts: Mapping[str, int]) -> str:
    return ", ".join(f"{count} {what}" for what, count in sorted(counts.items())) or "none"


def _followed(followed: Followed) -> str:
    order = "in order" if followed.in_order else "OUT OF ORDER"
    return (
        f"{followed.seen} seen {order}, {followed.missed} missed, {followed.extra} never there,"
        f" {followed.misplaced} with a wrong position before"
    )
