"""The fenced append statement alone: what the log's queue and promises are built around.

It runs on as many connections as the log has lanes, each with its share of the writers' requests
in every statement. Arrays are built inside the timing, as the log must build them, too.
"""

import asyncio
from collections.abc import Sequence
from time import perf_counter

from eventstore.event_log import Write
from eventstore.postgres.append_statement import attempt
from eventstore.postgres.bounds import DEFAULT_BOUNDS
from eventstore.postgres.sessions import Session, Sessions

from benchmarks.store.turns import Turn, undisturbed

LANES = DEFAULT_BOUNDS.lanes

Batches = Sequence[Sequence[tuple[Write]]]


class NotAppended(Exception):
    """The statement left out an event that nothing stood in the way of."""


async def append_raw(
    sessions: Sessions, by_writer: Sequence[Sequence[Write]], seconds: float, positions: list[int]
) -> Turn:
    """Append for so long; `positions` is told where each event is."""
    latencies: list[float] = []
    lanes = [by_writer[lane::LANES] for lane in range(min(LANES, len(by_writer)))]
    batches: list[Batches] = [
        [[(write,) for write in batch] for batch in zip(*lane, strict=True)] for lane in lanes
    ]

    async def run(session: Session, own: Batches) -> None:
        for batch in own:
            start = perf_counter()
            if start > end:
                return
            outcomes = await attempt(session, batch)
            latencies.extend([perf_counter() - start] * len(batch))
            for outcome in outcomes:
                if outcome is None:
                    raise NotAppended
                positions.append(outcome.position)

    async def lane(own: Batches) -> None:
        async with sessions.use() as session:
            await run(session, own)

    with undisturbed():
        start = perf_counter()
        end = start + seconds
        async with asyncio.TaskGroup() as group:
            for own in batches:
                group.create_task(lane(own))
        return Turn(len(latencies), perf_counter() - start, latencies)
