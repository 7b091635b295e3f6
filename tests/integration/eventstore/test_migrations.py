"""The log's schema: made once, by anybody who may, owned by its owner."""

import asyncio
from collections.abc import AsyncIterator

import asyncpg
import pytest
from eventstore.event_log import Write
from eventstore.expected_revision import ExpectedRevision
from eventstore.postgres import PostgresEventLog
from eventstore.postgres.migrate import migrate
from eventstore.testing.example_events import new_events, new_stream
from integration.eventstore.log_rig import LogDatabase
from sqlalchemy import column, select, table, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

OWNERS = """
select distinct pg_get_userbyid(owner) from (
  select relowner as owner, relnamespace as schema from pg_class
  union all select proowner, pronamespace from pg_proc
  union all select nspowner, oid from pg_namespace
) o where schema = cast(:schema as regnamespace)
"""
SNAPSHOT = """
select oid, xmin::text, relname from pg_class where relnamespace = cast(:schema as regnamespace)
 order by oid
"""


async def test_migrating_again_changes_nothing(log_db: LogDatabase) -> None:
    await log_db.migrate("twice")
    async with log_db.superuser.connect() as connection:
        before = (await connection.execute(text(SNAPSHOT), {"schema": "twice"})).all()

    await log_db.migrate("twice")

    async with log_db.superuser.connect() as connection:
        after = (await connection.execute(text(SNAPSHOT), {"schema": "twice"})).all()
        epoch = await connection.scalar(text("select epoch from twice.log_state"))
    assert before == after
    assert epoch == 1


async def test_migrations_at_once_do_not_clash(log_db: LogDatabase) -> None:
    await asyncio.gather(*(log_db.migrate(f"crowd_{turn % 3}") for turn in range(9)))

    async with log_db.superuser.connect() as connection:
        versions = [
            await connection.scalar(
                select(table("eventstore_version", column("version_num"), schema=f"crowd_{turn}"))
            )
            for turn in range(3)
        ]
    assert versions == ["0002"] * 3


async def test_everything_belongs_to_the_owner(log_db: LogDatabase) -> None:
    await log_db.migrate("owned")

    async with log_db.superuser.connect() as connection:
        owners = set(await connection.scalars(text(OWNERS), {"schema": "owned"}))
    assert owners == {log_db.owner_role}


@pytest.fixture
async def migrator(log_db: LogDatabase) -> AsyncIterator[AsyncEngine]:
    """Log in as one who may do nothing but become the owner, as migrations do in production."""
    name = f"{log_db.owner_role}_migrator"[:63]
    async with log_db.superuser.begin() as connection:
        await connection.execute(
            text(f"create role {name} login password 'made-up' in role {log_db.owner_role}")
        )
    engine = create_async_engine(log_db.superuser.url.set(username=name, password="made-up"))
    yield engine
    await engine.dispose()
    async with log_db.superuser.begin() as connection:
        await connection.execute(text(f"drop role {name}"))


async def test_a_migrator_needs_no_more_than_to_become_the_owner(
    log_db: LogDatabase, migrator: AsyncEngine
) -> None:
    roles = {"owner_role": log_db.owner_role, "runtime_role": log_db.runtime_role}
    async with log_db.superuser.begin() as connection:
        name = log_db.superuser.url.database
        await connection.execute(
            text(f'revoke create on database "{name}" from {log_db.owner_role}')
        )
    with pytest.raises(DBAPIError, match="permission denied for database"):
        await migrate(migrator, "given", **roles)
    async with log_db.superuser.begin() as connection:
        await connection.execute(text(f"create schema given authorization {log_db.owner_role}"))

    await migrate(migrator, "given", **roles)

    engine = create_async_engine(log_db.login_url)
    async with PostgresEventLog(engine, "given") as log:
        await log.append(Write(new_stream(), ExpectedRevision.NO_STREAM, new_events(1)))
    await engine.dispose()


async def test_a_migration_that_fails_leaves_nothing(log_db: LogDatabase) -> None:
    async with log_db.superuser.begin() as connection:
        await connection.execute(text(f"create schema half authorization {log_db.owner_role}"))
        await connection.execute(text("create table half.projection_build (id int)"))

    with pytest.raises(asyncpg.DuplicateTableError):
        await log_db.migrate("half")

    async with log_db.superuser.connect() as connection:
        tables = await connection.scalars(
            text("select tablename from pg_tables where schemaname = 'half'")
        )
        assert set(tables) == {"projection_build"}


@pytest.mark.parametrize("name", ['a"; drop schema public; --', "a-b", "A", ""])
@pytest.mark.parametrize("place", ["schema", "owner_role", "runtime_role"])
async def test_a_name_that_is_more_than_a_name_is_refused(
    log_db: LogDatabase, name: str, place: str
) -> None:
    names = {"schema": "fine", "owner_role": "fine", "runtime_role": "fine", place: name}

    with pytest.raises(ValueError, match="named by"):
        await migrate(log_db.superuser, **names)
