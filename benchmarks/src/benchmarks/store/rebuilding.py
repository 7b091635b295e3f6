"""A projection built from the start of its log on one core: decode, open, fold, write."""

import asyncio
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.resources import files
from time import perf_counter
from typing import Any

from eventstore.event import RecordedEvent
from eventstore.event_log import Write
from eventstore.expected_revision import ExpectedRevision
from eventstore.postgres import PostgresEventLog
from eventstore.projection import ReadModel, Row
from eventstore.projection_runner import ProjectionRunner
from eventstore.testing.example_events import new_stream
from runtime.event_codec import LogCodec
from sqlalchemy.ext.asyncio import AsyncConnection

from benchmarks.figure import Figure, at_least
from benchmarks.store.database import RUNTIME, Database
from benchmarks.store.events import TYPE, new_codec, sealed_events, text_length
from benchmarks.store.scale import Scale
from benchmarks.store.turns import Turn, Turns, undisturbed

_SCHEMA = "projected"
_EVENTS_A_STREAM = 20
_STREAMS_AN_APPEND = 20
_PATIENCE_SECONDS = 300.0
_WANTED = 10_000.0
_SHARE_OF_READ = 0.25
_TABLE = f"""
create table {_SCHEMA}.conversation (
  stream text not null primary key, messages int not null, characters bigint not null,
  last_author text not null, last_position bigint not null)
"""
_UPSERT = f"""
insert into {_SCHEMA}.conversation as c (stream, messages, characters, last_author, last_position)
select * from unnest($1::text[], $2::int[], $3::bigint[], $4::text[], $5::bigint[])
on conflict (stream) do update
  set messages = c.messages + excluded.messages, characters = c.characters + excluded.characters,
      last_author = excluded.last_author, last_position = excluded.last_position
"""  # noqa: S608 - the schema above


_BUILD = f"""
insert into {_SCHEMA}.projection_build (projection, build, version, place, state, epoch)
values ('conversations', 1, 1, '{_SCHEMA}', 'live', 1)
"""  # noqa: S608 - the schema above


@dataclass(slots=True)
class _Conversation:
    messages: int = 0
    characters: int = 0
    last_author: str = ""
    last_position: int = 0


class Conversations:
    """One row a conversation: how many messages and characters, and who wrote last."""

    name = "conversations"
    version = 1
    types = frozenset({TYPE})
    # The table is made beside it, and written to by a statement of its own.
    model = ReadModel(files("benchmarks.store"), ())

    def __init__(self, codec: LogCodec) -> None:
        self._codec = codec

    async def apply(self, connection: AsyncConnection, events: Sequence[RecordedEvent]) -> None:
        folded: defaultdict[str, _Conversation] = defaultdict(_Conversation)
        opened = await self._codec.open(events)
        for event, one in zip(events, opened, strict=True):
            message: Any = one.message
            conversation = folded[event.stream.name]
            conversation.messages += 1
            conversation.characters += len(message.text)
            conversation.last_author = message.author
            conversation.last_position = event.position
        rows = folded.values()
        await connection.exec_driver_sql(
            _UPSERT,
            (
                list(folded),
                [row.messages for row in rows],
                [row.characters for row in rows],
                [row.last_author for row in rows],
                [row.last_position for row in rows],
            ),
        )

    async def opened(self, table: str, rows: Sequence[Row]) -> Sequence[Row]:
        del table
        return rows


async def measure_rebuild(database: Database, scale: Scale, read_rate: float) -> Figure:
    """Rebuild in every round; the target is on the rate, `read_rate` that of reading alone."""
    turns = Turns()
    codec = new_codec()
    async with database.log(_SCHEMA) as log, database.engine() as engine:
        last = await _fill(log, codec, scale.events_to_project)
        await database.execute(
            _TABLE,
            _BUILD,
            f"grant select, insert, update on {_SCHEMA}.conversation to {RUNTIME}",
            f"analyze {_SCHEMA}.event",
        )
        for _ in range(scale.rounds):
            await database.execute(
                f"truncate {_SCHEMA}.conversation",
                f"update {_SCHEMA}.projection_build set position = 0",  # noqa: S608
            )
            await database.settle()
            runner = ProjectionRunner(log, engine, _SCHEMA, Conversations(codec))
            turns.add(await _rebuild(runner, last, scale.events_to_project))
    wanted = min(_WANTED, _SHARE_OF_READ * read_rate)
    return Figure(
        "projection rebuild on one core: decode, open, fold, write",
        turns.rate,
        "events/s",
        target=at_least(round(wanted)),
        spread=turns.spread,
    )


async def _rebuild(runner: ProjectionRunner, last: int, count: int) -> Turn:
    with undisturbed():
        start = perf_counter()
        running = asyncio.create_task(runner.run())
        try:
            await runner.wait_for(last, _PATIENCE_SECONDS)
            return Turn(count, perf_counter() - start)
        finally:
            running.cancel()
            await asyncio.gather(running, return_exceptions=True)


async def _fill(log: PostgresEventLog, codec: LogCodec, count: int) -> int:
    """Append whole conversations, sealed each under its own key; give the last position."""
    characters = await text_length(codec)
    last = 0
    step = _EVENTS_A_STREAM * _STREAMS_AN_APPEND
    for start in range(0, count, step):
        each = min(_EVENTS_A_STREAM, -(-(count - start) // _STREAMS_AN_APPEND))
        streams = [new_stream() for _ in range(_STREAMS_AN_APPEND)]
        appended = await log.append(
            *[
                Write(
                    stream,
                    ExpectedRevision.NO_STREAM,
                    await sealed_events(codec, stream, each, characters=characters),
                )
                for stream in streams
            ]
        )
        last = appended.position
    return last
