"""The follower processes of the oracle: one by the log's rules, one without the fence."""

import asyncio
from importlib.resources import files

from sqlalchemy.exc import SQLAlchemyError

from eventstore.errors import LogUnavailable
from eventstore.postgres import PostgresEventLog
from eventstore.postgres.server_errors import SERVER_ERRORS
from eventstore.postgres.statements import fill, identifier
from eventstore.testing.oracle.assignment import Assignment
from eventstore.testing.oracle.journal import Journal

PAUSE_SECONDS = 0.002
LOST_SECONDS = 0.02


def follow(assignment: Assignment) -> None:
    """Subscribe, going on after the last position whenever the server was lost; until killed."""
    asyncio.run(_follow(assignment))


def follow_unfenced(assignment: Assignment) -> None:
    """Read what is beyond the last position seen, as if commits came in order; until killed."""
    asyncio.run(_follow_unfenced(assignment))


async def _follow(assignment: Assignment) -> None:
    journal = Journal(assignment.folder, "fenced")
    after = 0
    async with PostgresEventLog(assignment.engine(), assignment.schema) as log:
        while True:
            try:
                async for page in log.subscribe(after=after):
                    for event in page.events:
                        journal.write(event.position, str(event.id), event.previous_position)
                    after = max(after, page.position)
            except LogUnavailable:
                await asyncio.sleep(LOST_SECONDS)


async def _follow_unfenced(assignment: Assignment) -> None:
    journal = Journal(assignment.folder, "unfenced")
    sql = files("eventstore.testing.oracle") / "read_unfenced.sql"
    query = fill(sql, {"schema": identifier(assignment.schema)})
    engine = assignment.engine()
    after = 0
    while True:
        try:
            async with engine.connect() as connection:
                rows = (await connection.exec_driver_sql(query, (after,))).all()
        except (*SERVER_ERRORS, SQLAlchemyError):
            await asyncio.sleep(LOST_SECONDS)
            continue
        for row in rows:
            journal.write(row.position, str(row.event_id), row.previous_position)
            after = row.position
        await asyncio.sleep(PAUSE_SECONDS)
