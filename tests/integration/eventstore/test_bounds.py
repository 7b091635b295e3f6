"""What a log takes on at once is bounded, and what it took on it finishes."""

import asyncio

import pytest
from eventstore.errors import LogClosed, LogUnavailable, Overloaded
from eventstore.event_log import Write
from eventstore.expected_revision import ExpectedRevision
from eventstore.postgres import PostgresEventLog
from eventstore.postgres.bounds import Bounds
from eventstore.testing.example_events import new_event, new_events, new_stream
from integration.eventstore.log_rig import LogSchema
from integration.eventstore.open_writer import open_writer
from sqlalchemy import QueuePool, event, text
from sqlalchemy.ext.asyncio import create_async_engine

NO_STREAM = ExpectedRevision.NO_STREAM
ANY = ExpectedRevision.ANY


def a_write() -> Write:
    return Write(new_stream(), NO_STREAM, new_events(1))


async def test_appends_beyond_the_bound_are_refused_and_the_others_land(schema: LogSchema) -> None:
    async with PostgresEventLog(schema.engine, schema.name, bounds=Bounds(in_flight=10)) as log:
        answers = await asyncio.gather(
            *(log.append(a_write()) for _ in range(25)), return_exceptions=True
        )
        refused = [answer for answer in answers if isinstance(answer, Overloaded)]

        assert len(refused) == 15
        assert len([event async for event in log.read_log()]) == 10
        await log.append(a_write())


async def test_a_caller_who_leaves_before_his_turn_leaves_nothing_behind(
    schema: LogSchema,
) -> None:
    held = new_stream()
    async with (
        PostgresEventLog(schema.engine, schema.name, bounds=Bounds(in_flight=3)) as log,
        open_writer(schema) as writer,
    ):
        await writer.append(Write(held, NO_STREAM, new_events(1)))
        stuck = asyncio.create_task(log.append(Write(held, ANY, new_events(1))))
        waiting = [asyncio.create_task(log.append(Write(held, ANY, new_events(1)))) for _ in "ab"]
        await asyncio.sleep(0.01)
        for task in waiting:
            task.cancel()
        await asyncio.gather(*waiting, return_exceptions=True)

        await log.append(a_write())
        await log.append(a_write())
        await writer.commit()
        await stuck

        assert [event.revision async for event in log.read_stream(held)] == [0, 1]


async def test_a_log_that_closes_waits_for_reads_and_leaves_no_connection_in_use(
    schema: LogSchema,
) -> None:
    engine = create_async_engine(schema.engine.url)
    lent = asyncio.Event()
    event.listen(engine.sync_engine, "checkout", lambda *_: lent.set())
    log = PostgresEventLog(engine, schema.name)
    asking = asyncio.create_task(log.head())
    await lent.wait()

    await log.close()

    assert isinstance(engine.pool, QueuePool)
    assert engine.pool.checkedout() == 0
    await engine.dispose()
    assert (await asking).position == 0
    with pytest.raises(LogClosed):
        await log.head()


async def test_a_log_that_closes_answers_what_is_in_flight_and_takes_no_more(
    schema: LogSchema,
) -> None:
    log = PostgresEventLog(schema.engine, schema.name)
    in_flight = [asyncio.create_task(log.append(a_write())) for _ in range(40)]
    await asyncio.sleep(0)

    await log.close()

    assert {task.result().revisions for task in in_flight} == {(0,)}
    with pytest.raises(LogClosed):
        await log.append(a_write())
    with pytest.raises(LogClosed):
        await log.head()


async def test_connections_are_at_most_as_many_as_said_and_all_given_back(
    schema: LogSchema,
) -> None:
    engine = create_async_engine(schema.engine.url, pool_size=20)
    async with (
        PostgresEventLog(engine, schema.name, bounds=Bounds(2, 2, 2)) as log,
        open_writer(schema) as writer,
    ):
        held = [new_stream() for _ in range(3)]
        await writer.append(*(Write(stream, NO_STREAM, new_events(1)) for stream in held))
        stuck = [
            asyncio.create_task(log.append(Write(stream, ANY, new_events(1)))) for stream in held
        ]
        await asyncio.wait(stuck, timeout=0.2)
        await asyncio.gather(
            *(log.append(a_write()) for _ in range(30)), *(log.head() for _ in range(30))
        )
        await writer.commit()
        await asyncio.gather(*stuck)
        async with schema.superuser.connect() as connection:
            count = await connection.scalar(
                text("select count(*) from pg_stat_activity where usename = :login"),
                {"login": engine.url.username},
            )
        assert count == 7  # six and the writer's
    assert "Connections in pool: 6" in engine.pool.status()
    await engine.dispose()


@pytest.mark.parametrize("bounds", [(0, 1, 1), (1, 0, 1), (1, 1, 0), (1, 1, 1, 0), (1, 1, 1, 1, 0)])
def test_a_log_needs_connections_and_room(bounds: tuple[int, ...]) -> None:
    with pytest.raises(ValueError, match="a log"):
        Bounds(*bounds)


async def test_a_pool_too_small_for_the_log_is_said_so(schema: LogSchema) -> None:
    engine = create_async_engine(schema.engine.url, pool_size=1, max_overflow=0, pool_timeout=0.05)
    async with PostgresEventLog(engine, schema.name, patience=0.2) as log:
        await log.append(a_write())
        with pytest.raises(LogUnavailable, match="connection"):
            await log.head()
    await engine.dispose()


async def test_an_old_session_is_renewed_from_the_engine(
    schema: LogSchema, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("eventstore.postgres.sessions._MAX_AGE_SECONDS", 0)
    engine = create_async_engine(schema.engine.url)
    async with PostgresEventLog(engine, schema.name) as log:
        for _ in range(3):
            await log.append(a_write())

        assert "Connections in pool: 0" in engine.pool.status()
        assert len([event async for event in log.read_log()]) == 3
    await engine.dispose()


async def test_a_large_event_and_a_large_page_are_bounded_by_bytes(schema: LogSchema) -> None:
    stream = new_stream()
    async with PostgresEventLog(schema.engine, schema.name) as log:
        large = [
            (await log.append(Write(stream, ANY, (event,)))).position
            for event in (new_event(data=b"x" * (1 << 20)) for _ in range(30))
        ]
        page = await anext(log.subscribe(after=0))
        read = [len(event.data) async for event in log.read_log()]
        back = [event.revision async for event in log.read_stream(stream, backwards=True)]

    assert len(page.events) == 8
    assert page.position == large[7]
    assert read == [1 << 20] * 30
    assert back == list(range(29, -1, -1))


async def test_a_reader_who_leaves_in_mid_log_gives_its_connections_back(schema: LogSchema) -> None:
    engine = create_async_engine(schema.engine.url, pool_size=6)
    async with PostgresEventLog(engine, schema.name) as log:
        for _ in range(5):
            await log.append(Write(new_stream(), NO_STREAM, new_events(1_000)))
        events = log.read_log()
        first = await anext(events)
        # The page after the first is being read now.
        await events.aclose()  # type: ignore[attr-defined]  # an iterator that is a generator

        assert first.revision == 0
        assert (await log.head()).position >= 5_000
    assert "Current Checked out connections: 0" in engine.pool.status()
    await engine.dispose()
