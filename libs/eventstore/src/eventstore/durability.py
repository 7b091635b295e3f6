"""Where an append must be safe before it is answered."""

from enum import Enum
from typing import Protocol


class Durability(Enum):
    """LOCAL: the commit is on the log's own disk. REPLICATED: it is also safe elsewhere."""

    LOCAL = "local"
    REPLICATED = "replicated"


class ReplicationGate(Protocol):
    """Knows how far the log is safe elsewhere: on a synchronous standby, or in a durable stream."""

    async def replicated(self, position: int) -> None:
        """Return once everything up to `position` is safe elsewhere; the caller bounds the wait."""
