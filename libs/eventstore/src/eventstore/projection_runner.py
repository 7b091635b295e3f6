"""Keeps one projection up with its log: rows and checkpoint in one transaction, never silent."""

import asyncio
import logging
from collections.abc import Callable
from datetime import UTC, datetime

from sqlalchemy.ext.asyncio import AsyncEngine

from eventstore.backoff import Backoff
from eventstore.errors import EventLogError
from eventstore.event_log import EventLog, Head, Page
from eventstore.postgres.checkpoint import Checkpoint
from eventstore.projection import Projection, ProjectionStatus
from eventstore.projection_progress import Progress

_TRANSACTION_SECONDS = 60.0
_LONGEST_PAUSE_SECONDS = 30.0
_IDLE_MOVE_SECONDS = 1.0


class LogRestored(EventLogError):
    """The projection was built from the log as it was before a restore: rebuild it."""


class _Fenced(EventLogError):
    """Another runner moved the checkpoint, or the log was restored meanwhile."""


class ProjectionRunner:
    """`run` follows the log without end; whatever fails is shown by `status` and tried again.

    `engine` is where the projection's rows and the log's `schema` are. Several runners of one
    projection do no harm: each page is applied by one of them.
    """

    def __init__(
        self,
        log: EventLog,
        engine: AsyncEngine,
        schema: str,
        projection: Projection,
        *,
        backoff: Backoff | None = None,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._log = log
        self._engine = engine
        self._projection = projection
        self._checkpoint = Checkpoint(schema, projection.name, projection.version)
        self._progress = Progress(projection, clock)
        self._backoff = backoff or Backoff(longest=_LONGEST_PAUSE_SECONDS)
        self._logger = logging.getLogger("eventstore.projection")
        self._failures = 0
        self._moved_at = 0.0

    def status(self) -> ProjectionStatus:
        return self._progress.status()

    async def wait_for(self, position: int, seconds: float) -> None:
        """Return once the projection holds the log up to `position`; `run` must be running.

        Raises ProjectionBehind after `seconds`.
        """
        await self._progress.wait_for(position, seconds)

    async def run(self) -> None:
        """Follow the log until cancelled."""
        try:
            while True:
                pause = self._backoff.first
                try:
                    await self._follow()
                except _Fenced:
                    self._logger.info(
                        "projection was moved by another runner",
                        extra={"projection": self._projection.name},
                    )
                # A projection is its service's code: whatever it raises shows and is tried again.
                except Exception as error:  # noqa: BLE001
                    self._failures += 1
                    pause = self._backoff.after(self._failures)
                    self._hold(error, pause)
                await asyncio.sleep(pause)
        finally:
            self._progress.stops("not running")

    async def _follow(self) -> None:
        async with asyncio.timeout(_TRANSACTION_SECONDS), self._engine.begin() as connection:
            stored = await self._checkpoint.open(connection)
        self._progress.reached(stored.position)
        pages = self._log.subscribe(after=stored.position, types=self._projection.types)
        async for page in pages:
            if page.head.epoch != stored.epoch:
                raise LogRestored("the log was restored since: rebuild the projection")
            self._progress.saw(page)
            stored = await self._take(page, stored)
            self._progress.reached(max(page.position, stored.position))
            self._progress.runs()
            self._failures = 0

    async def _take(self, page: Page, stored: Head) -> Head:
        """Apply a page and move the checkpoint, which is moved first so that a rival waits there.

        Passing events of other types moves it once a second only: forgetting that costs a look.
        """
        now = asyncio.get_running_loop().time()
        is_idle = not page.events and now - self._moved_at < _IDLE_MOVE_SECONDS
        if page.position <= stored.position or is_idle:
            return stored
        async with asyncio.timeout(_TRANSACTION_SECONDS), self._engine.begin() as connection:
            await self._checkpoint.enter(connection)
            if not await self._checkpoint.move(connection, stored, page.position):
                raise _Fenced("the checkpoint is no longer where this runner left it")
            if page.events:
                await self._projection.apply(connection, page.events)
        self._moved_at = now
        return Head(stored.epoch, page.position)

    def _hold(self, error: Exception, pause: float) -> None:
        """Say that it is stuck and why; only our own errors' texts are known to hold no values."""
        reason = str(error) if isinstance(error, EventLogError) else type(error).__name__
        position = self._progress.position
        self._progress.stops(f"{reason} (after position {position})")
        self._logger.error(
            "projection is stuck, next try in %.1f s",
            pause,
            extra={
                "projection": self._projection.name,
                "version": self._projection.version,
                "position": position,
                "error": type(error).__name__,
            },
        )
