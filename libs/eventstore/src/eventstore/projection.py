"""A read model made of a log's events, and how far it has come."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from sqlalchemy.ext.asyncio import AsyncConnection

from eventstore.event import RecordedEvent


class Projection(Protocol):
    """Turns events into rows. A changed `version` is another projection, built from the start.

    `types` are the events it wants, None for all.
    """

    @property
    def name(self) -> str: ...

    @property
    def version(self) -> int: ...

    @property
    def types(self) -> frozenset[str] | None: ...

    async def apply(self, connection: AsyncConnection, events: Sequence[RecordedEvent]) -> None:
        """Write what the events change, on this connection only: its transaction is the runner's.

        Each event comes once, in order of position, unless the transaction fails.
        """


@dataclass(frozen=True, slots=True)
class ProjectionStatus:
    """How far a projection has come, and what holds it up.

    `lag` counts positions up to the log's head, `lag_seconds` is the age of what it lacks.
    `stuck` says why it does not move, None when it does.
    """

    name: str
    version: int
    position: int
    head: int
    lag_seconds: float
    stuck: str | None

    @property
    def lag(self) -> int:
        return max(self.head - self.position, 0)
