"""What PostgreSQL takes without any promise: `unnest` batches of 500, and COPY."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from itertools import count, cycle
from time import perf_counter
from typing import Any

from eventstore.testing.example_events import DIGEST, new_id, new_stream

from benchmarks.figure import Figure
from benchmarks.store.database import Database
from benchmarks.store.events import METADATA, TYPE
from benchmarks.store.raw import LANES
from benchmarks.store.scale import Scale
from benchmarks.store.turns import Turn, Turns, undisturbed

_BATCH = 500
_SCHEMA = "ceilings"
_COLUMNS = (
    *("position", "tenant", "stream", "stream_key", "revision"),
    *("event_id", "type", "data", "metadata", "digest"),
)
_UNNEST = f"""
insert into {_SCHEMA}.event ({", ".join(_COLUMNS)})
select * from unnest($1::bigint[], $2::text[], $3::text[], $4::uuid[], $5::bigint[],
                     $6::uuid[], $7::text[], $8::bytea[], $9::bytea[], $10::bytea[])
"""  # noqa: S608 - the names above

Rows = Sequence[tuple[object, ...]]
Insert = Callable[[Any, Rows], Awaitable[object]]


@dataclass(frozen=True, slots=True)
class Ceilings:
    unnest: Turns
    copy: Turns

    def figures(self) -> list[Figure]:
        return [
            Figure(name, turns.rate, "events/s", spread=turns.spread)
            for name, turns in (
                (f"ceiling: unnest batches of {_BATCH}, no checks", self.unnest),
                (f"ceiling: COPY batches of {_BATCH}, no checks", self.copy),
            )
        ]


async def measure_ceilings(database: Database, scale: Scale, data: Sequence[bytes]) -> Ceilings:
    found = Ceilings(Turns(), Turns())
    positions = count(1)
    async with database.log(_SCHEMA):
        for _ in range(scale.rounds):
            for turns, insert in ((found.unnest, _by_unnest), (found.copy, _by_copy)):
                batches = [_rows(data, positions) for _ in range(int(scale.seconds * 200) + LANES)]
                turns.add(await _turn(database, insert, batches, scale.seconds))
    return found


async def _turn(
    database: Database, insert: Insert, batches: Sequence[Rows], seconds: float
) -> Turn:
    left = iter(batches)
    inserted = 0

    async def lane() -> None:
        nonlocal inserted
        async with database.admin.connect() as connection:
            driver = (await connection.get_raw_connection()).driver_connection
            for batch in left:
                if perf_counter() > end:
                    return
                await insert(driver, batch)
                inserted += len(batch)

    with undisturbed():
        start = perf_counter()
        end = start + seconds
        await asyncio.gather(*(lane() for _ in range(LANES)))
        return Turn(inserted, perf_counter() - start)


async def _by_unnest(driver: Any, rows: Rows) -> None:  # noqa: ANN401 - asyncpg has no types
    await driver.execute(_UNNEST, *map(list, zip(*rows, strict=True)))


async def _by_copy(driver: Any, rows: Rows) -> None:  # noqa: ANN401 - the same
    await driver.copy_records_to_table("event", schema_name=_SCHEMA, columns=_COLUMNS, records=rows)


def _rows(data: Sequence[bytes], positions: "count[int]") -> Rows:
    stream = new_stream()
    return [
        (
            *(next(positions), stream.tenant, stream.name, stream.key, revision),
            *(new_id(), TYPE, body, METADATA, DIGEST),
        )
        for revision, body in zip(range(_BATCH), cycle(data), strict=False)
    ]
