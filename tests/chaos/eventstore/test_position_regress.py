"""After a crash positions of aborted appends are issued again; no reader has passed them."""

from collections.abc import AsyncIterator

import pytest
from chaos.eventstore.restartable import Restartable
from eventstore.event_log import Write
from eventstore.expected_revision import ExpectedRevision
from eventstore.postgres import PostgresEventLog
from eventstore.postgres.append_statement import attempt
from eventstore.postgres.migrate import migrate
from eventstore.postgres.sessions import Session
from eventstore.postgres.statements import load_statements
from eventstore.testing.conformance_subscribe import next_page, take
from eventstore.testing.example_events import new_events, new_stream
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

SCHEMA = "crashing"
ABORTED = 100


def a_write(count: int) -> Write:
    return Write(new_stream(), ExpectedRevision.NO_STREAM, new_events(count))


@pytest.fixture
async def engine(server: Restartable) -> AsyncIterator[AsyncEngine]:
    engine = create_async_engine(server.url)
    await migrate(engine, SCHEMA, owner_role="postgres", runtime_role="postgres")
    yield engine
    await engine.dispose()


async def abort_appends(engine: AsyncEngine) -> None:
    """Use up positions without a commit that would flush the write-ahead log."""
    async with engine.connect() as connection:
        session = Session(connection, load_statements(SCHEMA))
        await session.enter()
        for _ in range(ABORTED // 5):
            transaction = session.driver.transaction()
            await transaction.start()
            await attempt(session, [(a_write(5),)])
            await transaction.rollback()
        await session.leave()


async def floor(engine: AsyncEngine) -> int:
    async with engine.connect() as connection:
        return int(await connection.scalar(text(f"select {SCHEMA}.floor_position()")) or 0)


async def test_a_head_told_before_a_crash_holds_after_it(
    server: Restartable, engine: AsyncEngine
) -> None:
    async with PostgresEventLog(engine, SCHEMA) as log:
        regressed = 0
        for _ in range(3):
            await log.append(a_write(1))
            await abort_appends(engine)
            head, raw_floor = await log.head(), await floor(engine)

            await server.restart()

            appended = await log.append(a_write(5))
            assert appended.position - 4 > head.position
            seen = [event.position async for event in log.read_log(after=head.position)]
            assert seen == list(range(appended.position - 4, appended.position + 1))
            regressed += appended.position <= raw_floor
        # Or else the server kept the positions, and nothing was tested.
        assert regressed


async def test_a_subscriber_over_a_crash_misses_nothing(
    server: Restartable, engine: AsyncEngine
) -> None:
    async with PostgresEventLog(engine, SCHEMA) as log:
        pages = log.subscribe(after=0)
        await next_page(pages)
        for _ in range(2):
            await log.append(a_write(1))
            assert len(await take(pages, 1)) == 1
            await abort_appends(engine)

            await server.restart()

            appended = await log.append(a_write(5))
            assert (await take(pages, 5))[-1].position == appended.position


async def test_an_append_over_a_crash_lands_once(server: Restartable, engine: AsyncEngine) -> None:
    async with PostgresEventLog(engine, SCHEMA) as log:
        write = a_write(2)
        await log.append(write)
        await server.restart()

        assert (await log.append(write)).duplicate
        assert (await log.append(a_write(2))).revisions == (1,)
