"""Keeps the live build of a projection up with its log, never silent."""

import asyncio
import logging
from collections.abc import Callable
from datetime import UTC, datetime

from sqlalchemy.ext.asyncio import AsyncEngine

from eventstore.backoff import Backoff
from eventstore.errors import EventLogError
from eventstore.event_log import EventLog, Page
from eventstore.postgres.builds import Build, Builds
from eventstore.projection import Projection, ProjectionStatus
from eventstore.projection_feed import TRANSACTION_SECONDS, Feed, Fenced
from eventstore.projection_progress import Progress

_LONGEST_PAUSE_SECONDS = 30.0
_IDLE_MOVE_SECONDS = 1.0


class LogRestored(EventLogError):
    """The projection was built from the log as it was before a restore: rebuild it."""


class NoBuild(EventLogError):
    """There is no live build that this program's version of the projection could feed."""


class ProjectionRunner:
    """`run` follows the log without end; whatever fails is shown by `status` and tried again.

    `engine` is where the projection's rows and the log's `schema` are. Several runners of one
    projection do no harm: each page is applied by one of them. A switch to another build is noticed
    at the next page, which that build then gets.
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
        self._builds = Builds(schema)
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
                except Fenced:
                    self._logger.info(
                        "projection was moved or switched by another",
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
        feed = Feed(self._engine, self._builds, self._projection, await self._live())
        self._progress.reached(feed.at.position)
        pages = self._log.subscribe(after=feed.at.position, types=self._projection.types)
        async for page in pages:
            if page.head.epoch != feed.at.epoch:
                raise LogRestored("the log was restored since: rebuild the projection")
            self._progress.saw(page)
            await self._take(feed, page)
            self._progress.reached(max(page.position, feed.at.position))
            self._progress.runs()
            self._failures = 0

    async def _live(self) -> Build:
        name, version = self._projection.name, self._projection.version
        async with asyncio.timeout(TRANSACTION_SECONDS), self._engine.begin() as connection:
            live = await self._builds.live(connection, name)
        if live is None:
            raise NoBuild("it has no build yet: run careline migrate")
        if live.version != version:
            raise NoBuild(
                f"its live build is of version {live.version}, this program's is {version}: "
                "rebuild the projection and switch to the new build"
            )
        return live

    async def _take(self, feed: Feed, page: Page) -> None:
        """Feed a page; passing events of other types moves the build once a second only.

        Forgetting that costs a look.
        """
        now = asyncio.get_running_loop().time()
        is_idle = not page.events and now - self._moved_at < _IDLE_MOVE_SECONDS
        if page.position <= feed.at.position or is_idle:
            return
        await feed.take(page.events, page.position)
        self._moved_at = now

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
