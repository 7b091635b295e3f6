"""Nobody changes or removes an event: not the runtime role, and not the owner by accident."""

import asyncpg
import pytest
from eventstore.event_log import Write
from eventstore.expected_revision import ExpectedRevision
from eventstore.postgres import PostgresEventLog
from eventstore.testing.example_events import new_events, new_stream
from integration.eventstore.log_rig import LogSchema
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncEngine

CHANGES = [
    "update {schema}.event set data = 'else'",
    "update {schema}.event set data = 'else' where false",
    "delete from {schema}.event",
    "delete from {schema}.event where false",
    "truncate {schema}.event",
    "truncate {schema}.event cascade",
    """insert into {schema}.event select * from {schema}.event
       on conflict (position) do update set data = 'else'""",
    """merge into {schema}.event e using {schema}.event o on e.position = o.position
       when matched then delete""",
]
RIGHTS = [
    "alter table {schema}.event disable trigger all",
    "alter table {schema}.event disable row level security",
    "drop table {schema}.event",
    "drop policy tenant on {schema}.event",
    "create table {schema}.mine (id int)",
    "select setval('{schema}.event_position', 1)",
    "update {schema}.log_state set epoch = 9",
    "insert into {schema}.log_state values (true, 9)",
    "delete from {schema}.projection_build",
    "update {schema}.projection_build set state = 'live'",
    "select {schema}.switch_projection('sightings', 1)",
    "drop function {schema}.floor_position()",
    "set session_replication_role = replica",
]


@pytest.fixture
async def some_events(log: PostgresEventLog) -> None:
    await log.append(Write(new_stream(), ExpectedRevision.NO_STREAM, new_events(3)))


async def refusal(engine: AsyncEngine, statement: str, *, role: str | None = None) -> str:
    """Run a statement that must be refused; gives its SQLSTATE."""
    async with engine.connect() as connection:
        await connection.execute(text("select set_config('careline.tenant', '*', true)"))
        if role is not None:
            await connection.execute(text(f"set local role {role}"))
        with pytest.raises(DBAPIError) as refused:
            await connection.exec_driver_sql(statement)
        await connection.rollback()
    return str(getattr(refused.value.orig, "sqlstate", ""))


@pytest.mark.usefixtures("some_events")
@pytest.mark.parametrize("statement", CHANGES + RIGHTS)
async def test_the_runtime_role_may_insert_and_select_and_nothing_else(
    schema: LogSchema, statement: str
) -> None:
    state = await refusal(schema.engine, statement.format(schema=schema.name))

    assert state == asyncpg.InsufficientPrivilegeError.sqlstate


@pytest.mark.usefixtures("some_events")
@pytest.mark.parametrize("statement", CHANGES)
@pytest.mark.parametrize("who", ["owner", "superuser"])
async def test_the_owners_accidents_are_stopped(
    schema: LogSchema, statement: str, who: str
) -> None:
    role = schema.owner_role if who == "owner" else None

    state = await refusal(schema.superuser, statement.format(schema=schema.name), role=role)

    assert state == "ES002"


async def test_nothing_fires_on_an_insert(schema: LogSchema) -> None:
    async with schema.superuser.connect() as connection:
        events = await connection.scalars(
            text(
                "select distinct event_manipulation from information_schema.triggers"
                " where event_object_schema = :schema"
            ),
            {"schema": schema.name},
        )

        assert set(events) == {"UPDATE", "DELETE"}  # TRUNCATE is not in the standard's view
