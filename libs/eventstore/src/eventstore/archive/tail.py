"""What else is left of a log than its archive: events that were published, and not yet archived."""

from collections.abc import AsyncGenerator, Mapping
from typing import Protocol

from eventstore.event import RecordedEvent


class TailEnds(Exception):
    """What follows in a tail is not taken, and why: codes and positions, never values."""


class Tail(Protocol):
    """Reads what was published of a log; `archived`: epoch -> the last position archived of it."""

    async def reach(self, archived: Mapping[int, int]) -> tuple[int, int]:
        """Give the newest epoch and the highest position beyond the archive; (0, 0) for none."""

    def events(
        self, archived: Mapping[int, int], after: int
    ) -> AsyncGenerator[RecordedEvent, None]:
        """Yield what follows a position in the newest archived epoch; raises TailEnds.

        It is read by one at a time: whoever stops early closes it before the tail is read again.
        """
