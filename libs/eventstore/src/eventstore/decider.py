"""The pure core of an aggregate: how events make its state, and how a command refuses."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import reduce
from typing import Generic, TypeVar

S = TypeVar("S")
E = TypeVar("E")


# Without slots: Python 3.11 cannot make a frozen slotted one as `Decider[State, Event](…)`.
@dataclass(frozen=True)
class Decider(Generic[S, E]):
    """The state before any event, and the state after one more.

    States must be frozen: they are shared by all who read them. `evolve` reads only what is
    neither PII nor PHI, so that it works on events whose sealed parts are closed or erased.
    """

    initial: S
    evolve: Callable[[S, E], S]

    def fold(self, state: S, events: Iterable[E]) -> S:
        return reduce(self.evolve, events, state)


class Rejected(Exception):
    """A command refuses: `reason` is the name that callers see, `metadata` its public details."""

    def __init__(self, reason: str, **metadata: str) -> None:
        super().__init__(reason)
        self.reason = reason
        self.metadata = metadata
