"""A projection stays exact over crashes of its server, and says when it is stuck."""

from chaos.eventstore.restartable import Restartable
from eventstore.event_log import Write
from eventstore.expected_revision import ExpectedRevision
from eventstore.postgres import PostgresEventLog
from eventstore.postgres.build_owner import OwnedSchema
from eventstore.postgres.migrate import migrate
from eventstore.projection_runner import ProjectionRunner
from eventstore.testing.conformance_projections import QUICK, running
from eventstore.testing.example_events import new_events, new_stream
from eventstore.testing.example_projection import Sightings
from sqlalchemy.ext.asyncio import create_async_engine


async def test_every_event_is_applied_once_over_crashes(server: Restartable) -> None:
    engine = create_async_engine(server.url)
    await migrate(engine, "projected", owner_role="postgres", runtime_role="postgres")
    sightings = Sightings("projected")
    await sightings.create(OwnedSchema(engine, "projected", "postgres", "postgres"))
    async with PostgresEventLog(engine, "projected") as log:
        runner = ProjectionRunner(log, engine, "projected", sightings, backoff=QUICK)
        async with running(runner):
            for _ in range(3):
                write = Write(new_stream(), ExpectedRevision.NO_STREAM, new_events(20))
                appended = await log.append(write)
                await server.restart()
                appended = await log.append(
                    Write(write.stream, ExpectedRevision.ANY, new_events(20))
                )
                await runner.wait_for(appended.position, 30)

        expected = [event.position async for event in log.read_log()]
    assert await sightings.positions(engine) == expected
    assert len(expected) == 120
    await engine.dispose()
