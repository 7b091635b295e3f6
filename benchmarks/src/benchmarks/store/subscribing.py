"""From an append's answer until a subscriber of the same service has the event."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from time import perf_counter
from typing import Final

from eventstore.event_log import EventLog, Write
from eventstore.testing.percentile import percentile

from benchmarks.figure import Figure, at_most
from benchmarks.store.database import Database
from benchmarks.store.events import writes
from benchmarks.store.scale import Scale
from benchmarks.store.turns import MILLISECONDS, undisturbed

RATE: Final = 500

_SCHEMA = "subscribed"
_LIMIT_MILLISECONDS = at_most(50)
_STREAMS = 100


@dataclass(slots=True)
class _Times:
    """By position: when the append was due, when it was answered, when the subscriber had it."""

    due: dict[int, float]
    answered: dict[int, float]
    seen: dict[int, float]

    def milliseconds(self, since: dict[int, float], percent: float) -> float:
        seconds = percentile((self.seen[one] - since[one] for one in since), percent)
        return seconds * MILLISECONDS


async def measure_subscriber(
    database: Database, scale: Scale, data: Sequence[bytes]
) -> list[Figure]:
    """Append at a steady rate, whatever the answers take; one subscriber follows."""
    async with database.log(_SCHEMA) as log:
        each = max(int(RATE * scale.subscriber_seconds) // _STREAMS, 1)
        by_writer = writes(data, _STREAMS, each)
        with undisturbed():
            times = await _run(
                log, [one for batch in zip(*by_writer, strict=True) for one in batch]
            )
    against = f"subscriber at {RATE} appends/s"
    return [
        Figure(
            f"commit to {against}, p99",
            times.milliseconds(times.answered, 99),
            "ms",
            target=_LIMIT_MILLISECONDS,
        ),
        Figure(f"commit to {against}, p50", times.milliseconds(times.answered, 50), "ms"),
        Figure(f"append due to {against}, p99", times.milliseconds(times.due, 99), "ms"),
    ]


async def _run(log: EventLog, appends: Sequence[Write]) -> _Times:
    times = _Times({}, {}, {})

    async def follow() -> None:
        async for page in log.subscribe(after=0):
            now = perf_counter()
            times.seen.update((event.position, now) for event in page.events)
            if len(times.seen) == len(appends):
                return

    async def append(write: Write, due: float) -> None:
        await asyncio.sleep(max(due - perf_counter(), 0))
        appended = await log.append(write)
        times.answered[appended.position] = perf_counter()
        times.due[appended.position] = due

    start = perf_counter() + 0.1
    async with asyncio.TaskGroup() as group:
        group.create_task(follow())
        for number, write in enumerate(appends):
            group.create_task(append(write, start + number / RATE))
    return times
