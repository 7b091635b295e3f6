"""A standby does not see the writers' locks: it must not tell how far the log is complete."""

from pathlib import Path

import pytest
from chaos.eventstore.restartable import Restartable
from eventstore.errors import LogUnavailable
from eventstore.event_log import Write
from eventstore.expected_revision import ExpectedRevision
from eventstore.postgres import PostgresEventLog
from eventstore.postgres.migrate import migrate
from eventstore.testing.example_events import new_events, new_stream
from sqlalchemy.ext.asyncio import create_async_engine


async def test_a_standby_refuses_reads_and_appends_instead_of_answering_wrongly(
    server: Restartable, tmp_path: Path
) -> None:
    engine = create_async_engine(server.url)
    await migrate(engine, "followed", owner_role="postgres", runtime_role="postgres")
    write = Write(new_stream(), ExpectedRevision.NO_STREAM, new_events(1))
    async with PostgresEventLog(engine, "followed") as log:
        await log.append(write)
    await engine.dispose()
    await server.stop()
    (tmp_path / "cluster" / "standby.signal").touch()
    await server.start()

    async with PostgresEventLog(engine, "followed", patience=0.3) as log:
        with pytest.raises(LogUnavailable, match="P0001"):
            await log.head()
        with pytest.raises(LogUnavailable, match="P0001"):
            await anext(log.subscribe(after=0))
        with pytest.raises(LogUnavailable, match=r"25006|55000"):
            await log.append(Write(new_stream(), ExpectedRevision.NO_STREAM, new_events(1)))
    await engine.dispose()
