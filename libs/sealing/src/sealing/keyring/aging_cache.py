"""A cache bounded in entries and in how long ago each was put."""

from collections.abc import Callable, Hashable
from typing import Generic, TypeVar

K = TypeVar("K", bound=Hashable)
V = TypeVar("V")


def _no_one(_: object) -> None:
    """Tell nobody of a dropped entry."""


class AgingCache(Generic[K, V]):
    """The entry put longest ago is the first to go; using one does not make it younger.

    `max_age` is in the clock's unit, seconds for `time.monotonic`. `dropped` hears of every entry
    that goes. What has aged goes at the next get or put of any key.
    """

    def __init__(
        self,
        *,
        limit: int,
        max_age: float,
        clock: Callable[[], float],
        dropped: Callable[[V], None] = _no_one,
    ) -> None:
        self._limit = limit
        self._max_age = max_age
        self._clock = clock
        self._dropped = dropped
        self._entries: dict[K, tuple[float, V]] = {}

    def __len__(self) -> int:
        return len(self._entries)

    def get(self, key: K) -> V | None:
        self._trim(self._limit)
        entry = self._entries.get(key)
        return None if entry is None else entry[1]

    def put(self, key: K, value: V) -> None:
        self.drop(key)
        self._trim(self._limit - 1)
        self._entries[key] = (self._clock(), value)

    def drop(self, key: K) -> None:
        entry = self._entries.pop(key, None)
        if entry is not None:
            self._dropped(entry[1])

    def clear(self) -> None:
        self._trim(0)

    def _trim(self, limit: int) -> None:
        oldest_allowed = self._clock() - self._max_age
        while self._entries:
            key, (since, _) = next(iter(self._entries.items()))
            if len(self._entries) <= limit and since > oldest_allowed:
                return
            self.drop(key)
