"""A moment in the life of a stream."""

from dataclasses import dataclass
from datetime import datetime

from eventstore.event import RecordedEvent


@dataclass(frozen=True, slots=True)
class AsOf:
    """After the last event that is within every bound that is set: revision, position, time.

    `time` (with its zone) is compared with when the log took the event. What is still being
    appended may yet come in at or before a position beyond the log's head, or a time just gone.
    """

    revision: int | None = None
    position: int | None = None
    time: datetime | None = None

    def covers(self, event: RecordedEvent) -> bool:
        return (
            (self.revision is None or event.revision <= self.revision)
            and (self.position is None or event.position <= self.position)
            and (self.time is None or event.recorded_at <= self.time)
        )
