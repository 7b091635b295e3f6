"""How much of an append is sealing: encoding a message to the 300 bytes that are stored."""

import asyncio
from dataclasses import dataclass
from itertools import count
from time import perf_counter

from eventstore.event_log import EventLog, Write
from eventstore.expected_revision import ExpectedRevision
from eventstore.testing.example_events import DIGEST, new_id, new_stream
from runtime.event_codec import LogCodec

from benchmarks.figure import Figure, at_most
from benchmarks.store.database import Database
from benchmarks.store.events import METADATA, new_codec, posted, text_length
from benchmarks.store.scale import Scale

_SCHEMA = "sealed"
_LIMIT = at_most(20)
_PERCENT = 100


@dataclass(slots=True)
class _Spent:
    """Seconds sealing, and seconds of whole appends with it, over all writers; events appended."""

    sealing: float = 0.0
    appending: float = 0.0
    events: int = 0


async def measure_sealing(database: Database, scale: Scale) -> list[Figure]:
    """Of one append's own time, and, the harder measure, of the time a busy process has for each.

    Sealing never waits (keys are in memory), so that nobody else's work is in its time.
    """
    codec = new_codec()
    characters = await text_length(codec)
    async with database.log(_SCHEMA) as log:
        await _run(log, codec, 1, scale.seconds / 4, characters)
        alone = await _run(log, codec, 1, scale.seconds, characters)
        seconds = 2 * scale.seconds
        busy = await _run(log, codec, 32, seconds, characters)
    return [
        Figure(
            "sealing's share of an append, 1 writer",
            _PERCENT * alone.sealing / alone.appending,
            "%",
            target=_LIMIT,
        ),
        Figure(
            "sealing's share of an append, 32 writers, of all the time there is for it",
            _PERCENT * busy.sealing / seconds,
            "%",
            target=_LIMIT,
        ),
        Figure("sealing an event, 32 writers", 1e6 * busy.sealing / busy.events, "us"),
        Figure("seal and append, 32 writers", busy.events / seconds, "events/s"),
    ]


async def _run(
    log: EventLog, codec: LogCodec, writers: int, seconds: float, characters: int
) -> _Spent:
    spent = _Spent()
    message = posted(characters)

    async def write() -> None:
        stream = new_stream()
        for revision in count(-1):
            ids = [new_id()]
            start = perf_counter()
            if start > end:
                return
            events = await codec.encode(stream, stream.name, ids, [message], METADATA, DIGEST)
            spent.sealing += perf_counter() - start
            expected = (
                ExpectedRevision.NO_STREAM if revision < 0 else ExpectedRevision.exact(revision)
            )
            await log.append(Write(stream, expected, events))
            spent.appending += perf_counter() - start
            spent.events += 1

    end = perf_counter() + seconds
    async with asyncio.TaskGroup() as group:
        for _ in range(writers):
            group.create_task(write())
    return spent
