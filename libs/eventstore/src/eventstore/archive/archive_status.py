"""How far an archive has its log, what it lacks since when, and what holds the archiver up."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from eventstore.event_log import Page
from eventstore.wake import Wake


@dataclass(frozen=True, slots=True)
class ArchiveStatus:
    """`lag` counts positions up to the log's head, `lag_seconds` is the age of what is missing.

    `stuck` says why it does not move, a code first, None when it does.
    """

    log: str
    position: int
    head: int
    lag_seconds: float
    stuck: str | None

    @property
    def lag(self) -> int:
        return max(self.head - self.position, 0)


class ArchiveProgress:
    """Told by the archiver, asked by everybody else."""

    def __init__(self, log: str, clock: Callable[[], datetime]) -> None:
        self._log = log
        self._clock = clock
        self._moved = Wake()
        self._position = 0
        self._head = 0
        self._stuck: str | None = "not running"
        self._lacking_since: datetime | None = None

    def status(self) -> ArchiveStatus:
        age = 0.0
        if self._lacking_since is not None:
            age = max((self._clock() - self._lacking_since).total_seconds(), 0.0)
        return ArchiveStatus(self._log, self._position, self._head, age, self._stuck)

    def resumes(self, position: int, head: int) -> None:
        """Note what the store has at the start."""
        self._position, self._head = position, head
        self._lacking_since = self._clock() if position < head else None

    def saw(self, page: Page) -> None:
        """Note a page that is in hand, not in the store yet."""
        self._head = page.head.position
        if page.events:
            self._lacking_since = self._lacking_since or page.events[0].recorded_at

    def saw_head(self, head: int) -> None:
        self._head = head

    def reached(self, position: int) -> None:
        """Note that the store has everything up to the position."""
        self._position = position
        self._lacking_since = None if position >= self._head else self._clock()
        self._stuck = None
        self._moved.ring(position)

    async def wait_for(self, position: int) -> None:
        while self._position < position:
            await self._moved.arm().wait()

    def runs(self) -> None:
        self._stuck = None

    def stops(self, reason: str) -> None:
        """Note that it does not move: from now on it lacks what comes, if nothing before."""
        self._stuck = reason
        self._lacking_since = self._lacking_since or self._clock()
