"""The states of the streams used last."""

from collections import OrderedDict
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from eventstore.decider import Decider
from eventstore.stream_id import StreamId

S = TypeVar("S")
E = TypeVar("E")


@dataclass(frozen=True, slots=True)
class Loaded(Generic[S]):
    """A state and the last event it holds: its revision (-1: none yet) and position (0)."""

    state: S
    revision: int
    position: int


class StateCache:
    """At most `size` states, the least recently used one making room.

    A state may be behind its stream, as other processes append too: who uses one must find out.
    """

    def __init__(self, size: int) -> None:
        self._size = size
        self._kept: OrderedDict[StreamId, tuple[object, Loaded[Any]]] = OrderedDict()

    def get(self, stream: StreamId, decider: Decider[S, E]) -> Loaded[S] | None:
        """Give the state that this decider made, if it is kept."""
        made_by, loaded = self._kept.get(stream, (None, None))
        if loaded is None or made_by is not decider:
            return None
        self._kept.move_to_end(stream)
        return loaded

    def put(self, stream: StreamId, decider: Decider[S, E], loaded: Loaded[S]) -> None:
        self._kept[stream] = (decider, loaded)
        self._kept.move_to_end(stream)
        while len(self._kept) > self._size:
            self._kept.popitem(last=False)
