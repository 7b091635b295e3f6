"""Brings a build that is not live up to a position of the log."""

from dataclasses import dataclass, replace

from sqlalchemy.ext.asyncio import AsyncEngine

from eventstore.event import RecordedEvent
from eventstore.event_log import EventLog
from eventstore.postgres.builds import Build, Builds
from eventstore.projection import Projection
from eventstore.projection_feed import Feed
from eventstore.step_progress import StepProgress

_BATCH = 500


@dataclass(frozen=True, slots=True)
class ReadModelSource:
    """A projection with what it is made of: its log, and the runtime role's engine.

    `schema` is the log's, which shows the live build.
    """

    log: EventLog
    engine: AsyncEngine
    schema: str
    projection: Projection

    @property
    def builds(self) -> Builds:
        return Builds(self.schema)


async def replay(
    source: ReadModelSource, build: Build, until: int, step: str, progress: StepProgress
) -> Build:
    """Feed a build what it lacks up to a position that the log has passed; gives how it is then.

    Broken off anywhere it goes on from there. Raises Fenced where another one feeds it, too, and
    whatever the projection raises.
    """
    feed = Feed(source.engine, source.builds, source.projection, build)
    batch: list[RecordedEvent] = []
    progress(step, feed.at.position, until)
    events = source.log.read_log(after=feed.at.position, until=until, types=source.projection.types)
    async for event in events:
        batch.append(event)
        if len(batch) == _BATCH:
            await feed.take(batch, event.position)
            batch = []
            progress(step, feed.at.position, until)
    if feed.at.position < until:
        await feed.take(batch, until)
        progress(step, until, until)
    return replace(build, at=feed.at)
