"""Appends to logs of growing size: whether the log gets slower as it fills."""

from collections.abc import Callable, Mapping, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass
from typing import Final

from eventstore.testing.example_events import DIGEST

from benchmarks.figure import Figure, at_most
from benchmarks.store import ours
from benchmarks.store.database import Database
from benchmarks.store.events import METADATA, TYPE, writes
from benchmarks.store.scale import MOST_APPENDS, Scale
from benchmarks.store.turns import Turns

WRITERS: Final = (1, 32)

_LIMIT = at_most(1.25)
_EVENTS_A_STREAM = 20
_SPARE = 100
_WARM = 20
_CONSTRAINTS = {
    "event_pkey": "primary key (position)",
    "event_event_id_key": "unique (event_id)",
    "event_stream_key_revision_key": "unique (stream_key, revision)",
}
# Ids as the platform's are, the time first, so that what is made together lies together.
_FILL = """
insert into {schema}.event
  (position, tenant, stream, stream_key, revision, event_id, type, data, metadata, digest)
select e.n, 'demo', 'conversations/' || key, key, revision,
       uuidv7((-({size} - e.n) || ' milliseconds')::interval), '{type}',
       decode(repeat(md5(e.n::text), 18) || left(md5(e.n::text), 24), 'hex'),
       decode('{metadata}', 'hex'), decode('{digest}', 'hex')
  from (select s, uuidv7((s * {each} - {size} || ' milliseconds')::interval) as key
          from generate_series(0, ({size} - 1) / {each}) s offset 0) streams,
       lateral (select s * {each} + r + 1 as n, r as revision
                  from generate_series(0, {each} - 1) r) e
"""


@dataclass(frozen=True, slots=True)
class Sizes:
    """Turns by writers and size of the log."""

    turns: Mapping[int, Mapping[int, Turns]]

    def figures(self) -> list[Figure]:
        return [
            _figure(writers, size, by_size)
            for writers, by_size in self.turns.items()
            for size in by_size
        ]


async def measure_sizes(
    database: Database, scale: Scale, data: Sequence[bytes], say: Callable[[str], None]
) -> Sizes:
    """Append in rounds to logs of all sizes, so that noise meets all of them."""
    turns = {writers: {size: Turns() for size in scale.log_sizes} for writers in WRITERS}
    async with AsyncExitStack() as stack:
        logs = {}
        for size in scale.log_sizes:
            say(f"filling a log with {size:,} events")
            schema = f"size_{size}"
            logs[size] = await stack.enter_async_context(database.log(schema))
            await _fill(database, schema, size)
        await database.settle()
        say("appending to logs of these sizes")
        for writers, by_size in turns.items():
            each = int(MOST_APPENDS[writers] * scale.size_seconds / writers) + _SPARE
            for log in logs.values():
                # Catalogues, plans and the pages at the indexes' ends are in memory after this.
                await ours.append(log, writes(data, writers, _WARM), scale.size_seconds, [])
            for _ in range(scale.rounds):
                for size, log in logs.items():
                    made = writes(data, writers, each)
                    by_size[size].add(await ours.append(log, made, scale.size_seconds, []))
    return Sizes(turns)


async def _fill(database: Database, schema: str, size: int) -> None:
    """Fill by one statement in the server; the indexes are made after it."""
    table = f"{schema}.event"
    fill = _FILL.format(
        schema=schema,
        size=size,
        each=_EVENTS_A_STREAM,
        type=TYPE,
        metadata=METADATA.hex(),
        digest=DIGEST.hex(),
    )
    await database.execute(
        "set maintenance_work_mem = '512MB'",
        *(f"alter table {table} drop constraint {name}" for name in _CONSTRAINTS),
        fill,
        *(
            f"alter table {table} add constraint {name} {what}"
            for name, what in _CONSTRAINTS.items()
        ),
        f"select setval('{table}_position', {size + _EVENTS_A_STREAM})",
        f"vacuum analyze {table}",
    )


def _figure(writers: int, size: int, by_size: Mapping[int, Turns]) -> Figure:
    sizes = list(by_size)
    smallest, largest = sizes[0], sizes[-1]
    p50 = by_size[size].milliseconds(50)
    name = f"append p50, {writers} writer{'s' if writers > 1 else ''}, {size:,} events there"
    if size == smallest:
        return Figure(name, p50, "ms")
    return Figure(
        name,
        p50,
        "ms",
        against=f"{smallest:,} events there",
        ratio=p50 / by_size[smallest].milliseconds(50),
        target=_LIMIT if size == largest else None,
    )
