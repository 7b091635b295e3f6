"""What an event of a message that is written no more means today."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Generic, TypeVar

O = TypeVar("O")  # noqa: E741 - old
N = TypeVar("N")


@dataclass(frozen=True)
class Upcaster(Generic[O, N]):
    """Turns an `old` message into the `new` one that took its place; stored bytes never change.

    `upcast` is pure, and gets messages whose sealed fields are closed, erased or open: it may move
    those, never read them for what is not sealed. `sealed_paths` says where a sealed field of the
    old message is in the new one, if not at its old path; "" if it is there no more.
    """

    old: type[O]
    new: type[N]
    upcast: Callable[[O], N]
    sealed_paths: Mapping[str, str] = field(default_factory=dict)
