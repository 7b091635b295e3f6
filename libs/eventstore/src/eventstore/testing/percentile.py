"""One definition of a percentile for whatever measures logs: benches and drills."""

import math
from collections.abc import Iterable
from typing import Final

_PERCENT: Final = 100


def percentile(values: Iterable[float], percent: float) -> float:
    """Give the least of at least one value that so many percent of all do not exceed.

    That is the nearest rank: always one of the values, in their unit.
    """
    ranked = sorted(values)
    return ranked[max(math.ceil(len(ranked) * percent / _PERCENT) - 1, 0)]
