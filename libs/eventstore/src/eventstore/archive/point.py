"""Up to where an archive is wanted: a position, a time, or all of it."""

from datetime import datetime

from eventstore.archive.lineage import Stretch, parts_of
from eventstore.archive.object_store import ArchiveStore
from eventstore.archive.reading import read_records
from eventstore.archive.record import microseconds

Point = int | datetime | None
"""A position, a time with its zone, or None for the end."""


async def position_until(store: ArchiveStore, stretches: list[Stretch], time: datetime) -> int:
    """Give the position of the last event recorded until a time, 0 for none; raises ArchiveDamaged.

    A log is cut by position, so that no stream loses an event before one that it keeps. Concurrent
    events before that one may be some milliseconds younger, and none that is older is left out.
    Read from the end: only what is younger is read twice by who restores the rest.
    """
    until = microseconds(time)
    for part in reversed(parts_of(stretches)):
        last = 0
        async for batch in read_records(store, [part]):
            last = max([last, *(one.position for one in batch if one.recorded_at <= until)])
        if last:
            return last
    return 0
