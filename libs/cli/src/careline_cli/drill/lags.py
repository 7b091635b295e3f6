"""How long acknowledged writes wait for stream and archive, from looks at both."""

from bisect import bisect_right
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from careline_cli.drill.journals import Acknowledged


@dataclass(frozen=True, slots=True)
class Look:
    """How far the copy of a log was at a moment of the monotonic clock."""

    log: str
    at: float
    position: int


def lags(acknowledged: Iterable[Acknowledged], looks: Sequence[Look]) -> list[float]:
    """Give for each look the age, in seconds, of the oldest acknowledged write that the copy
    lacks: what would be lost with the log at that moment; 0 when it has all.
    """
    by_log: dict[str, list[Acknowledged]] = {}
    for one in acknowledged:
        by_log.setdefault(one.log, []).append(one)
    return [
        age
        for log, writes in by_log.items()
        for age in _of_log(writes, [look for look in looks if look.log == log])
    ]


def _of_log(writes: list[Acknowledged], looks: list[Look]) -> Iterable[float]:
    """Walk by position; the oldest of what lies beyond one is the least `at` from there on."""
    writes.sort(key=lambda one: one.position)
    positions = [one.position for one in writes]
    oldest = [float("inf")] * (len(writes) + 1)
    for place in range(len(writes) - 1, -1, -1):
        oldest[place] = min(oldest[place + 1], writes[place].at)
    for look in looks:
        yield max(look.at - oldest[bisect_right(positions, look.position)], 0.0)
