"""Stretches of numbers, kept short: the first so many of them, and how many numbers in all."""

from dataclasses import dataclass, field

_KEPT = 1_000


@dataclass(slots=True)
class Ranges:
    """Numbers that are told in rising order; those that follow each other make one range.

    `count` is of all of them, `ranges` (first, last) of the first thousand ranges.
    """

    count: int = 0
    ranges: list[tuple[int, int]] = field(default_factory=list)
    _joins: bool = False

    def add(self, number: int) -> None:
        """Add a number; the one told before it is its neighbour unless `part` was called."""
        self.count += 1
        if self._joins:
            first, _ = self.ranges[-1]
            self.ranges[-1] = (first, number)
        elif len(self.ranges) < _KEPT:
            self.ranges.append((number, number))
            self._joins = True

    def part(self) -> None:
        """Note that something lies between the last number and the next."""
        self._joins = False

    def ends_at(self, number: int) -> bool:
        return self._joins and self.ranges[-1][1] == number

    def __contains__(self, number: int) -> bool:
        return any(first <= number <= last for first, last in self.ranges)
