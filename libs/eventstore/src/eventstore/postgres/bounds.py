"""How much a log takes on at once, and on how many connections."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Bounds:
    """Appends share statements on `lanes` connections; those which another writer delays go on in
    `contested` others; pages are read on `reading`.

    At most `in_flight` appends of together `in_flight_bytes` are taken on; Overloaded beyond.
    """

    lanes: int = 2
    contested: int = 2
    reading: int = 2
    in_flight: int = 1_024
    in_flight_bytes: int = 64 << 20

    def __post_init__(self) -> None:
        if min(self.lanes, self.contested, self.reading) < 1:
            raise ValueError("a log needs a connection to append, one to contest and one to read")
        if min(self.in_flight, self.in_flight_bytes) < 1:
            raise ValueError("a log that takes on nothing is no log")

    @property
    def connections(self) -> int:
        """How many the engine's pool must be able to give."""
        return self.lanes + self.contested + self.reading


DEFAULT_BOUNDS = Bounds()
