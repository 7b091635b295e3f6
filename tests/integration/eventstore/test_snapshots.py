"""Snapshots on a real log: what a load of a long stream reads, and what a restore makes of them."""

import asyncio
from dataclasses import dataclass, field
from datetime import timedelta

from eventstore.event import NewEvent, RecordedEvent
from eventstore.event_log import MAX_EVENTS, Write
from eventstore.expected_revision import ExpectedRevision
from eventstore.postgres import PostgresEventLog
from eventstore.snapshots import Snapshots
from eventstore.state_reader import StateReader
from eventstore.stream_id import StreamId
from eventstore.testing.example_events import new_event, new_stream
from integration.eventstore.log_rig import LogSchema
from sqlalchemy import TableClause, column, func, select, table, text, update
from unit.eventstore.ward import WARD, Event, Ward, WardCodec

LONG = 100_000
EVERY = 500


@dataclass
class CountingCodec(WardCodec):
    """Remembers the revisions that were decoded, hence read and folded."""

    decoded: list[int] = field(default_factory=list)

    def decode(self, recorded: RecordedEvent, /) -> Event:
        self.decoded.append(recorded.revision)
        return super().decode(recorded)


class Process:
    """What one process reads of a log: nothing is left in it from the one before."""

    def __init__(self, log: PostgresEventLog) -> None:
        self.codec = CountingCodec()
        self.snapshots = Snapshots(log.snapshots, every=EVERY)
        self.states = StateReader(log, self.codec, self.snapshots)


def rows(schema: LogSchema) -> TableClause:
    return table("snapshot", column("code_version"), column("taken_at"), schema=schema.name)


def admissions(events: int) -> tuple[NewEvent, ...]:
    return tuple(new_event("PatientAdmitted", data=b'nonce   {"bed": 0}') for _ in range(events))


async def admit(log: PostgresEventLog, stream: StreamId, events: int) -> None:
    for start in range(0, events, MAX_EVENTS):
        some = admissions(min(MAX_EVENTS, events - start))
        await log.append(Write(stream, ExpectedRevision.ANY, some))


async def test_of_a_hundred_thousand_events_only_the_tail_is_read(log: PostgresEventLog) -> None:
    stream = new_stream(category="wards")
    await admit(log, stream, LONG)
    first, second = Process(log), Process(log)
    whole = await first.states.newest(stream, WARD)
    await admit(log, stream, 7)

    tail = await second.states.newest(stream, WARD)

    assert (whole.state, whole.revision) == (Ward(taken=LONG), LONG - 1)
    assert (tail.state, tail.revision) == (Ward(taken=LONG + 7), LONG + 6)
    assert len(first.codec.decoded) == LONG
    assert second.codec.decoded == list(range(LONG, LONG + 7))


async def test_a_snapshot_of_another_epoch_is_not_looked_at(
    log: PostgresEventLog, schema: LogSchema
) -> None:
    stream = new_stream(category="wards")
    await admit(log, stream, EVERY)
    await Process(log).states.newest(stream, WARD)
    await schema.alter("update {schema}.log_state set epoch = epoch + 1")
    again, after = Process(log), Process(log)

    assert (await again.states.newest(stream, WARD)).state == Ward(taken=EVERY)
    assert (await after.states.newest(stream, WARD)).state == Ward(taken=EVERY)

    assert len(again.codec.decoded) == EVERY
    assert after.codec.decoded == []


async def test_a_snapshot_whose_last_event_is_not_in_the_log_is_not_kept(
    log: PostgresEventLog, schema: LogSchema
) -> None:
    stream = new_stream(category="wards")
    await admit(log, stream, EVERY)
    process = Process(log)
    loaded = await process.states.newest(stream, WARD)
    await schema.alter("delete from {schema}.snapshot")
    ahead = type(loaded)(loaded.state, loaded.revision + 1, loaded.position + 1)

    await process.snapshots.keep(stream, WARD, type(loaded)(Ward(), -1, 0), ahead)

    assert await process.snapshots.find(stream, WARD) is None


async def test_states_of_other_code_are_let_go_after_a_week(
    log: PostgresEventLog, schema: LogSchema
) -> None:
    stream = new_stream(category="wards")
    await admit(log, stream, EVERY)
    for code, days in (("old", 8), ("beside", 6)):
        await Process(log).states.newest(stream, WARD)
        kept = rows(schema)
        taken = func.now() - timedelta(days=days)
        async with schema.superuser.begin() as connection:
            await connection.execute(
                update(kept)
                .where(func.length(kept.c.code_version) == 64)
                .values(code_version=code, taken_at=taken)
            )

    await Process(log).states.newest(stream, WARD)

    async with schema.superuser.connect() as connection:
        versions = set(await connection.scalars(select(rows(schema).c.code_version)))
    assert "beside" in versions
    assert "old" not in versions
    assert len(versions) == 2


async def test_many_processes_keep_one_snapshot_of_one_stream(
    log: PostgresEventLog, schema: LogSchema
) -> None:
    stream = new_stream(category="wards")
    await admit(log, stream, EVERY)

    await asyncio.gather(*(Process(log).states.newest(stream, WARD) for _ in range(8)))

    async with schema.superuser.connect() as connection:
        kept = await connection.scalar(select(func.count()).select_from(rows(schema)))
    assert kept == 1


async def test_a_session_sees_the_snapshots_of_its_tenant_only(
    log: PostgresEventLog, schema: LogSchema
) -> None:
    stream = new_stream(category="wards")
    await admit(log, stream, EVERY)
    await Process(log).states.newest(stream, WARD)

    async def seen_by(tenant: str) -> int | None:
        async with schema.rival_engine.begin() as connection:
            await connection.execute(
                text("select set_config('careline.tenant', :tenant, true)"), {"tenant": tenant}
            )
            count: int | None = await connection.scalar(
                select(func.count()).select_from(rows(schema))
            )
            return count

    assert await seen_by(stream.tenant) == 1
    assert await seen_by("others") == 0
