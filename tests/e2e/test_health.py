"""Health end to end: what depends on NATS serves while NATS does."""

import os
import signal
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from e2e.conftest import COMMAND_SECONDS, Careline, process_of

# Others go on without it: their calls append, and what they append is published later.
NEEDS_NATS = {"audit"}
States = Mapping[str, tuple[str, list[str]]]


def states(careline: Careline) -> States:
    """Give each service's status and what it misses."""
    listed: dict[str, Any] = careline.shown("status", "--json")
    return {one["service"]: (one["status"], one["missing"]) for one in listed["services"]}


def until(careline: Careline, reached: Callable[[States], bool]) -> States:
    deadline = time.monotonic() + COMMAND_SECONDS
    while not reached(seen := states(careline)):
        assert time.monotonic() < deadline, seen
    return seen


@contextmanager
def halted(process: int) -> Iterator[None]:
    """Halt a process: it neither answers nor ends, so that nobody starts it again."""
    os.kill(process, signal.SIGSTOP)
    try:
        yield
    finally:
        os.kill(process, signal.SIGCONT)


def test_what_depends_on_nats_stops_serving_without_it_and_serves_with_it_again(
    careline: Careline,
) -> None:
    assert all(state == ("SERVING", []) for state in states(careline).values())

    with halted(process_of(careline, "nats")):
        without = until(
            careline, lambda seen: all(missing == ["nats"] for _, missing in seen.values())
        )
        assert {name for name, (one, _) in without.items() if one == "NOT_SERVING"} == NEEDS_NATS
        assert {one for one, _ in without.values()} == {"SERVING", "NOT_SERVING"}
        assert careline.attempt("status").returncode == 1

    until(careline, lambda seen: all(state == ("SERVING", []) for state in seen.values()))
