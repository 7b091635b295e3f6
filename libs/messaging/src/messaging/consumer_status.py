"""How far a consumer is, what it lacks since when, and what holds it up."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime

from messaging.consumer_position import Place
from messaging.names import Consumption
from messaging.received_event import ReceivedEvent
from messaging.stuck import Stuck


@dataclass(frozen=True, slots=True)
class ConsumerStatus:
    """`lag` counts events in the stream that are not handled, `lag_seconds` is their age.

    `active`: this process consumes. `parked` and `filled` count dead letters and events read from
    the source's log, since the process started. `stuck` says why it does not move, None when it
    does.
    """

    consumer: str
    source: str
    active: bool
    epoch: int
    position: int
    lag: int
    lag_seconds: float
    parked: int
    filled: int
    stuck: str | None


class ConsumerProgress:
    """Told by the consumer, asked by everybody else."""

    def __init__(
        self, consumption: Consumption, clock: Callable[[], datetime] = lambda: datetime.now(UTC)
    ) -> None:
        self._consumption = consumption
        self._clock = clock
        self._lacking_since: datetime | None = None
        self._pending = 0
        self._stuck: Stuck | None = None
        self.active = False
        self.place = Place(0, 0)
        self.parked = 0
        self.filled = 0

    def status(self) -> ConsumerStatus:
        age = 0.0
        if self._lacking_since is not None:
            age = max((self._clock() - self._lacking_since).total_seconds(), 0.0)
        return ConsumerStatus(
            consumer=self._consumption.durable,
            source=self._consumption.source,
            active=self.active,
            epoch=self.place.epoch,
            position=self.place.position,
            lag=self._pending,
            lag_seconds=age,
            parked=self.parked,
            filled=self.filled,
            stuck=str(self._stuck) if self._stuck else None,
        )

    def received(self, events: int, pending: int, first: ReceivedEvent) -> None:
        """Note events in hand, the first of them, and how many the stream has after them."""
        self._pending = events + pending
        self._lacking_since = first.recorded_at

    def handled(self, place: Place, pending: int) -> None:
        """Note that everything up to a place is done, and how many the stream has after it."""
        self.place = place
        self._pending = pending
        if pending == 0:
            self._lacking_since = None

    def runs(self) -> None:
        self._stuck = None

    def stops(self, stuck: Stuck) -> None:
        """Note that it does not move: from now on it lacks what comes, if nothing before."""
        self._stuck = stuck
        self._lacking_since = self._lacking_since or self._clock()
