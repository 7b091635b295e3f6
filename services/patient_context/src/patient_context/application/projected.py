"""How far the read model is."""

from typing import Protocol


class Projected(Protocol):
    """Lets a caller wait for the read model: eventstore's ProjectionRunner."""

    async def wait_for(self, position: int, seconds: float) -> None:
        """Return once it holds the log up to a position; raises ProjectionBehind."""
