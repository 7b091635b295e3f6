"""A session sees the tenant that it names, and no other, ever."""

import asyncio

import pytest
from eventstore.event_log import Write
from eventstore.expected_revision import ExpectedRevision
from eventstore.postgres import PostgresEventLog
from eventstore.postgres.bounds import Bounds
from eventstore.postgres.migrate import migrate
from eventstore.testing.example_events import new_events, new_stream
from integration.eventstore.log_rig import LogSchema
from sqlalchemy import column, select, table, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine
from sqlalchemy.pool import StaticPool

NO_STREAM = ExpectedRevision.NO_STREAM
COPY_TO_THE_OTHER_TENANT = """
insert into {schema}.event
select 1000, 'theirs', stream, uuidv7(), 0, uuidv7(), type, data, metadata, digest, now()
  from {schema}.event limit 1
"""


@pytest.fixture
async def two_tenants(log: PostgresEventLog) -> None:
    await log.append(Write(new_stream("ours"), NO_STREAM, new_events(2)))
    await log.append(Write(new_stream("theirs"), NO_STREAM, new_events(3)))


async def seen_by(engine: AsyncEngine, schema: LogSchema, tenant: str | None) -> set[str]:
    async with engine.begin() as connection:
        if tenant is not None:
            await connection.execute(
                text("select set_config('careline.tenant', :tenant, true)"), {"tenant": tenant}
            )
        event = table("event", column("tenant"), schema=schema.name)
        return set(await connection.scalars(select(event.c.tenant)))


@pytest.mark.usefixtures("two_tenants")
@pytest.mark.parametrize(
    ("tenant", "seen"),
    [
        ("ours", {"ours"}),
        ("theirs", {"theirs"}),
        ("third", set()),
        ("", set()),
        ("our%", set()),
        (None, set()),
        ("*", {"ours", "theirs"}),
    ],
)
async def test_a_session_sees_the_tenant_that_it_names(
    schema: LogSchema, tenant: str | None, seen: set[str]
) -> None:
    assert await seen_by(schema.rival_engine, schema, tenant) == seen


@pytest.mark.usefixtures("two_tenants")
async def test_a_session_of_one_tenant_cannot_append_to_another(schema: LogSchema) -> None:
    copy = COPY_TO_THE_OTHER_TENANT.format(schema=schema.name)
    async with schema.rival_engine.connect() as connection:
        await connection.execute(text("select set_config('careline.tenant', 'ours', true)"))
        with pytest.raises(DBAPIError) as refused:
            await connection.execute(text(copy))
        await connection.rollback()

    assert getattr(refused.value.orig, "sqlstate", "") == "42501"


@pytest.mark.parametrize("ending", ["close", "cancel"])
async def test_a_connection_given_back_to_the_pool_no_longer_sees_all_tenants(
    schema: LogSchema, ending: str
) -> None:
    engine = create_async_engine(schema.engine.url, poolclass=StaticPool)
    try:
        async with PostgresEventLog(engine, schema.name, bounds=Bounds(1, 1, 1)) as log:
            await log.append(Write(new_stream("ours"), NO_STREAM, new_events(2)))
            if ending == "cancel":
                reading = asyncio.ensure_future(log.head())
                await asyncio.sleep(0)
                reading.cancel()
                await asyncio.gather(reading, return_exceptions=True)
        async with engine.connect() as connection:
            settings = await connection.execute(
                text(
                    "select current_setting('careline.tenant', true), current_setting('jit'),"
                    " current_setting('lock_timeout')"
                )
            )
            assert tuple(settings.one()) in {("", "on", "0"), (None, "on", "0")}
        assert await seen_by(engine, schema, None) == set()
    finally:
        await engine.dispose()


@pytest.mark.usefixtures("two_tenants")
@pytest.mark.parametrize("tenant", ["ours", None])
@pytest.mark.parametrize("call", ["safe_position()", "position_before(2, 9)"])
async def test_positions_of_the_log_are_not_told_to_a_session_that_sees_a_part_of_it(
    schema: LogSchema, tenant: str | None, call: str
) -> None:
    async with schema.rival_engine.connect() as connection:
        if tenant is not None:
            await connection.execute(
                text(f"select set_config('careline.tenant', '{tenant}', true)")
            )
        with pytest.raises(DBAPIError, match="whole log"):
            await connection.execute(text(f"select {schema.name}.{call}"))
        await connection.rollback()


async def test_a_service_reaches_no_log_but_its_own(schema: LogSchema) -> None:
    await migrate(
        schema.superuser, "others", owner_role=schema.owner_role, runtime_role=schema.owner_role
    )
    async with schema.engine.connect() as connection:
        with pytest.raises(DBAPIError) as refused:
            await connection.execute(text("select * from others.event"))
        await connection.rollback()

    assert getattr(refused.value.orig, "sqlstate", "") == "42501"
