"""How much is measured: enough for figures, or just enough to see that it runs."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class Scale:
    """Seconds are of one contender's turn; `rounds` how often each has one.

    `gate_rounds` come on top where a target is set against the raw statement.
    """

    writers: tuple[int, ...]
    rounds: int
    gate_rounds: int
    seconds: float
    log_sizes: tuple[int, ...]
    size_seconds: float
    events_to_read: int
    events_to_project: int
    events_to_relay: int
    subscriber_seconds: float


FULL: Final = Scale(
    writers=(1, 8, 32, 128, 512),
    rounds=3,
    gate_rounds=2,
    seconds=1.5,
    log_sizes=(10_000, 1_000_000, 5_000_000),
    size_seconds=1.0,
    events_to_read=60_000,
    events_to_project=30_000,
    events_to_relay=20_000,
    subscriber_seconds=6.0,
)
QUICK: Final = Scale(
    writers=(1, 32),
    rounds=1,
    gate_rounds=0,
    seconds=0.2,
    log_sizes=(500, 2_000),
    size_seconds=0.1,
    events_to_read=1_000,
    events_to_project=600,
    events_to_relay=600,
    subscriber_seconds=0.5,
)

# More than any machine so far appended a second: what is made ready for a turn must not run out.
MOST_APPENDS: Final[Mapping[int, int]] = {1: 2_500, 8: 9_000, 32: 18_000, 128: 28_000, 512: 36_000}
