"""How far the stream has the log, what it lacks since when, and what holds the relay up."""

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime

from messaging.outgoing import Run
from messaging.stuck import Stuck


@dataclass(frozen=True, slots=True)
class RelayStatus:
    """`lag` counts positions up to the log's head, `lag_seconds` is the age of what is missing.

    `leading`: this process publishes. `stuck` says why it does not move, None when it does.
    """

    service: str
    leading: bool
    position: int
    head: int
    lag_seconds: float
    stuck: str | None

    @property
    def lag(self) -> int:
        return max(self.head - self.position, 0)


class RelayProgress:
    """Told by the relay, asked by everybody else."""

    def __init__(
        self, service: str, clock: Callable[[], datetime] = lambda: datetime.now(UTC)
    ) -> None:
        self._service = service
        self._clock = clock
        self._unconfirmed: deque[Run] = deque()
        self._behind_since: datetime | None = None
        self.leading = False
        self.position = 0
        self.head = 0
        self.stuck: Stuck | None = None

    def status(self) -> RelayStatus:
        since = self._behind_since
        if self._unconfirmed:
            since = min(since or self._unconfirmed[0].since, self._unconfirmed[0].since)
        age = 0.0
        if since is not None and self.head > self.position:
            age = max((self._clock() - since).total_seconds(), 0.0)
        return RelayStatus(
            service=self._service,
            leading=self.leading,
            position=self.position,
            head=self.head,
            lag_seconds=age,
            stuck=str(self.stuck) if self.stuck else None,
        )

    def resumes(self, position: int, head: int) -> None:
        """Note from where on publishing starts anew."""
        self._unconfirmed.clear()
        self._behind_since = None
        self.position = position
        self.saw_head(head)
        if self.position >= self.head:
            self.stuck = None

    def saw_head(self, head: int) -> None:
        """Note how far the log goes."""
        self.head = head
        if self.head > self.position:
            self._behind_since = self._behind_since or self._clock()
        else:
            self._behind_since = None

    def sends(self, run: Run) -> None:
        self._unconfirmed.append(run)

    def confirmed(self, run: Run) -> None:
        """Note that the stream has a run: what was sent before it, it has, too."""
        self._unconfirmed.popleft()
        self.position = run.position
        self.stuck = None
        self._behind_since = None if self.position >= self.head else run.since
