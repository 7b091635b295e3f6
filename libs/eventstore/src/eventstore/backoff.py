"""How long to wait between tries: longer each time, bounded, with jitter."""

import random
from dataclasses import dataclass

_LARGEST_EXPONENT = 32


@dataclass(frozen=True, slots=True)
class Backoff:
    """Seconds after the first failure, doubled at each further one up to the longest."""

    first: float = 0.1
    longest: float = 10.0

    def after(self, failures: int) -> float:
        """Return the pause after that many failures in a row, between half of it and all."""
        doubled = self.first * float(1 << min(failures - 1, _LARGEST_EXPONENT))
        pause = min(self.longest, doubled)
        return random.uniform(pause / 2, pause)  # noqa: S311 - jitter, no secret
