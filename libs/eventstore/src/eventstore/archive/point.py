"""Up to where an archive is wanted: a position, a time, or all of it."""

from datetime import datetime

from eventstore.archive.lineage import Stretch
from eventstore.archive.object_store import ArchiveStore
from eventstore.archive.reading import read_events

Point = int | datetime | None
"""A position, a time with its zone, or None for the end."""


async def position_of(store: ArchiveStore, stretches: list[Stretch], point: Point) -> int:
    """Give the last position of what was archived up to a point; raises ArchiveDamaged.

    A log is cut by position, so that no stream loses an event before one that it keeps. Of a time
    it is the last event recorded until then: concurrent ones before it may be some milliseconds
    younger, and none that is older is left out.
    """
    if not isinstance(point, datetime):
        end = stretches[-1].until
        return end if point is None else min(point, end)
    last = 0
    async for batch in read_events(store, stretches):
        last = max([last, *(event.position for event in batch if event.recorded_at <= point)])
    return last
