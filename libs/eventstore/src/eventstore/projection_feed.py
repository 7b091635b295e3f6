"""Feeds one build of a projection: rows and position in one transaction."""

import asyncio
from collections.abc import Sequence

from sqlalchemy.ext.asyncio import AsyncEngine

from eventstore.errors import EventLogError
from eventstore.event import RecordedEvent
from eventstore.event_log import Head
from eventstore.postgres.builds import Build, Builds
from eventstore.projection import Projection

TRANSACTION_SECONDS = 60.0


class Fenced(EventLogError):
    """Another one moved the build, it was switched, or the log was restored meanwhile."""


class Feed:
    """`at` is how far the build is; who feeds a live build loses it at a switch."""

    def __init__(
        self, engine: AsyncEngine, builds: Builds, projection: Projection, build: Build
    ) -> None:
        self._engine = engine
        self._builds = builds
        self._projection = projection
        self._build = build
        self.at: Head = build.at

    async def take(self, events: Sequence[RecordedEvent], position: int) -> None:
        """Apply events and move the build, which is moved first so that a rival waits there.

        Raises Fenced, and whatever the projection raises.
        """
        async with (
            asyncio.timeout(TRANSACTION_SECONDS),
            self._engine.connect() as connection,
        ):
            places = {self._builds.schema: self._build.place}
            await connection.execution_options(schema_translate_map=places)
            async with connection.begin():
                await self._builds.enter(connection)
                if not await self._builds.move(connection, self._build, self.at, position):
                    raise Fenced(
                        "the build is no longer where it was left, or is another's to feed"
                    )
                if events:
                    await self._projection.apply(connection, events)
        self.at = Head(self.at.epoch, position)
