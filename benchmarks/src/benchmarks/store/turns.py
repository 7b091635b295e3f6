"""Turns of contenders in rounds, so that whatever else the machine does meets all of them."""

import gc
import statistics
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Self

from eventstore.testing.percentile import percentile

MILLISECONDS = 1_000


@dataclass(frozen=True, slots=True)
class Turn:
    """What a contender did in its turn: how many events in how long, and each answer's time (s)."""

    events: int
    seconds: float
    latencies: Sequence[float] = ()

    @property
    def rate(self) -> float:
        return self.events / self.seconds


@dataclass(slots=True)
class Turns:
    """All turns of one contender."""

    turns: list[Turn] = field(default_factory=list)

    def add(self, turn: Turn) -> None:
        self.turns.append(turn)

    @property
    def rates(self) -> list[float]:
        return [turn.rate for turn in self.turns]

    @property
    def rate(self) -> float:
        return statistics.median(self.rates)

    @property
    def spread(self) -> tuple[float, float]:
        return min(self.rates), max(self.rates)

    def milliseconds(self, percent: float) -> float:
        """Give a percentile of all answers' times, in milliseconds."""
        seconds = percentile((one for turn in self.turns for one in turn.latencies), percent)
        return seconds * MILLISECONDS

    def ratio(self, other: Self) -> float:
        """Give the median over the rounds of this one's rate to the other's in the same round."""
        return statistics.median(
            mine / its for mine, its in zip(self.rates, other.rates, strict=False)
        )


@contextmanager
def undisturbed() -> Iterator[None]:
    """Keep what was made ready before a turn out of the garbage collector's rounds in it."""
    gc.collect()
    gc.freeze()
    try:
        yield
    finally:
        gc.unfreeze()
