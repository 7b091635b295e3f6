"""Our log, appended to as services do: each writer waits for its answer before the next append."""

import asyncio
from collections.abc import Sequence
from time import perf_counter

from eventstore.event_log import EventLog, Write

from benchmarks.store.turns import Turn, undisturbed


async def append(
    log: EventLog, by_writer: Sequence[Sequence[Write]], seconds: float, positions: list[int]
) -> Turn:
    """Append for so long; `positions` is told where each acknowledged event is."""
    latencies: list[float] = []

    async def write(own: Sequence[Write]) -> None:
        for one in own:
            start = perf_counter()
            if start > end:
                return
            appended = await log.append(one)
            latencies.append(perf_counter() - start)
            positions.append(appended.position)

    with undisturbed():
        start = perf_counter()
        end = start + seconds
        async with asyncio.TaskGroup() as group:
            for own in by_writer:
                group.create_task(write(own))
        return Turn(len(latencies), perf_counter() - start, latencies)
