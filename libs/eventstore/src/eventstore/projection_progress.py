"""How far a projection has come, what it lacks since when, and who waits for it."""

import asyncio
from collections.abc import Callable
from datetime import datetime

from eventstore.errors import EventLogError
from eventstore.event_log import Page
from eventstore.projection import Projection, ProjectionStatus
from eventstore.wake import Wake


class ProjectionBehind(EventLogError):
    """The projection did not reach the position in time."""


class Progress:
    """Told by the runner, asked by everybody else."""

    def __init__(self, projection: Projection, clock: Callable[[], datetime]) -> None:
        self._projection = projection
        self._clock = clock
        self._moved = Wake()
        self._head = 0
        self._stuck: str | None = "not running"
        self._lacking_since: datetime | None = None

    @property
    def position(self) -> int:
        return self._moved.position

    def status(self) -> ProjectionStatus:
        age = 0.0
        if self._lacking_since is not None:
            age = max((self._clock() - self._lacking_since).total_seconds(), 0.0)
        return ProjectionStatus(
            name=self._projection.name,
            version=self._projection.version,
            position=self.position,
            head=self._head,
            lag_seconds=age,
            stuck=self._stuck,
        )

    async def wait_for(self, position: int, seconds: float) -> None:
        try:
            async with asyncio.timeout(seconds):
                while self.position < position:
                    await self._moved.arm().wait()
        except TimeoutError as error:
            reason = self._stuck or "it is catching up"
            text = f"{self._projection.name} did not reach the position in time: {reason}"
            raise ProjectionBehind(text) from error

    def saw(self, page: Page) -> None:
        """Note a page that is in hand, not applied yet."""
        self._head = page.head.position
        if page.events:
            self._lacking_since = page.events[0].recorded_at

    def reached(self, position: int) -> None:
        """Note that everything up to the position is applied; what lies beyond is about as old."""
        self._moved.ring(position)
        if self.position >= self._head:
            self._lacking_since = None

    def runs(self) -> None:
        self._stuck = None

    def stops(self, reason: str) -> None:
        """Note that it does not move: from now on it lacks what comes, if nothing before."""
        self._stuck = reason
        self._lacking_since = self._lacking_since or self._clock()
