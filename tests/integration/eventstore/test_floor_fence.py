"""What a reader was told to be complete stays so, and only what is in flight holds it back."""

import asyncio

import pytest
from eventstore.errors import LogUnavailable
from eventstore.event import UNSETTLED
from eventstore.event_log import Write
from eventstore.expected_revision import ExpectedRevision
from eventstore.postgres import PostgresEventLog
from eventstore.testing.conformance_subscribe import next_page, take
from eventstore.testing.example_events import new_events, new_stream
from integration.eventstore.log_rig import LogDatabase, LogSchema
from integration.eventstore.open_writer import open_writer
from sqlalchemy import text

ANY = ExpectedRevision.ANY


def a_write(count: int = 1) -> Write:
    return Write(new_stream(), ANY, new_events(count))


async def test_an_append_in_flight_holds_back_what_was_committed_after_it(
    log: PostgresEventLog, schema: LogSchema
) -> None:
    first = await log.append(a_write())
    async with open_writer(schema) as writer:
        in_flight = await writer.append(a_write(2))
        later = await log.append(a_write())

        assert (await log.head()).position == first.position
        assert [event.position async for event in log.read_log()] == [first.position]

        await writer.commit()
        assert (await log.head()).position == later.position
        positions = [event.position async for event in log.read_log()]
        assert positions == [
            first.position,
            in_flight.position - 1,
            in_flight.position,
            later.position,
        ]


@pytest.mark.parametrize("ending", ["roll back", "kill"])
async def test_an_append_that_fails_lets_the_readers_pass(
    log: PostgresEventLog, schema: LogSchema, ending: str
) -> None:
    async with open_writer(schema) as writer:
        await writer.append(a_write())
        later = await log.append(a_write())
        pages = log.subscribe(after=0)
        assert (await next_page(pages)).events == ()

        if ending == "roll back":
            await writer.roll_back()
        else:
            async with schema.superuser.connect() as connection:
                await connection.execute(
                    text(f"select pg_terminate_backend({writer.backend}, 5000)")
                )

        assert [event.position for event in await take(pages, 1)] == [later.position]


async def test_an_own_append_held_back_is_seen_soon_after_it_is_let_go(
    log: PostgresEventLog, schema: LogSchema
) -> None:
    pages = log.subscribe(after=0)
    await next_page(pages)
    loop = asyncio.get_running_loop()
    waits = []
    for _ in range(3):
        async with open_writer(schema) as writer:
            await writer.append(a_write())
            await log.append(a_write())
            waiting = asyncio.ensure_future(take(pages, 2))
            await asyncio.sleep(0.02)
            released = loop.time()
            await writer.commit()
            await waiting
            waits.append(loop.time() - released)

    assert min(waits) < 0.1


async def test_transactions_that_do_not_append_hold_nobody_back(
    log: PostgresEventLog, schema: LogSchema
) -> None:
    async with schema.superuser.connect() as connection:
        await connection.execute(text("create table if not exists foreign_work (id int)"))
        await connection.execute(text("insert into foreign_work values (1)"))
        await connection.execute(
            text("select pg_advisory_xact_lock(1), pg_advisory_xact_lock(7, 1)")
        )
        appended = await log.append(a_write())

        assert (await log.head()).position == appended.position
        await connection.rollback()


async def test_the_logs_of_a_database_do_not_hold_back_each_other(
    log: PostgresEventLog, log_db: LogDatabase
) -> None:
    async with log_db.schema() as other, open_writer(other) as writer:
        await writer.append(a_write())
        await log.append(a_write())
        appended = await log.append(a_write())

        assert (await log.head()).position == appended.position


async def test_the_position_before_is_not_told_while_it_may_still_change(
    log: PostgresEventLog, schema: LogSchema
) -> None:
    first = await log.append(a_write())
    async with open_writer(schema) as writer:
        between = await writer.append(a_write())
        write = a_write(2)
        await log.append(write)

        fresh = [event async for event in log.read_stream(write.stream)]
        recalled = await log.recall([event.id for event in write.events])
        assert [event.previous_position for event in fresh] == [UNSETTLED, UNSETTLED]
        assert recalled == fresh
        assert [e.previous_position for e in await log.recall([write.events[0].id])] == [UNSETTLED]

        await writer.commit()
        settled = [event async for event in log.read_stream(write.stream)]
        assert [event.previous_position for event in settled] == [
            between.position,
            between.position + 1,
        ]
        assert first.position < between.position


async def test_a_reader_without_rights_on_the_sequence_is_told_so_instead_of_nothing(
    log: PostgresEventLog, schema: LogSchema
) -> None:
    await log.append(a_write())
    await schema.alter("revoke all on sequence {schema}.event_position from {runtime_role}")

    with pytest.raises(LogUnavailable, match="P0001"):
        await log.head()


async def test_the_raw_floor_is_above_what_is_committed_and_the_head_is_not(
    log: PostgresEventLog, schema: LogSchema
) -> None:
    appended = await log.append(a_write())
    async with open_writer(schema) as writer:
        for _ in range(3):
            await writer.append(a_write(5))
            await writer.roll_back()

    async with schema.superuser.connect() as connection:
        floor = await connection.scalar(text(f"select {schema.name}.floor_position()"))
    assert floor == appended.position + 15
    assert (await log.head()).position == appended.position


async def test_no_session_keeps_positions_back(schema: LogSchema) -> None:
    async with schema.superuser.connect() as connection:
        cache = await connection.scalar(
            text("select cache_size from pg_sequences where schemaname = :schema"),
            {"schema": schema.name},
        )

    assert cache == 1
