"""Preparing and migrating a keyring's database."""

import asyncio

import pytest
from conftest import Database
from sealing.keyring.migrate import migrate, prepare
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import create_async_engine


async def test_it_may_run_again_and_from_many_at_once(database: Database) -> None:
    await prepare(database.engine)
    await asyncio.gather(*(migrate(database.engine) for _ in range(4)))
    await prepare(database.engine)
    await migrate(database.engine)

    async with database.engine.connect() as connection:
        versions = await connection.scalars(text("SELECT version_num FROM keyring.schema_version"))
        owners = await connection.scalars(
            text("SELECT DISTINCT tableowner FROM pg_tables WHERE schemaname = 'keyring'")
        )
        assert versions.all() == ["0001"]
        assert owners.all() == ["keyring_owner"]


async def test_a_login_that_is_member_of_the_owner_migrates(database: Database) -> None:
    await prepare(database.engine)
    async with database.engine.begin() as connection:
        await connection.execute(
            text("CREATE ROLE migrating LOGIN PASSWORD 'x' IN ROLE keyring_owner")
        )
    engine = create_async_engine(database.url.set(username="migrating", password="x"))
    try:
        await migrate(engine)
    finally:
        await engine.dispose()
        async with database.engine.begin() as connection:
            await connection.execute(text("DROP ROLE migrating"))


async def test_nobody_else_can(database: Database) -> None:
    await prepare(database.engine)
    async with database.engine.begin() as connection:
        await connection.execute(text("CREATE ROLE stranger LOGIN PASSWORD 'x'"))
    engine = create_async_engine(database.url.set(username="stranger", password="x"))
    try:
        with pytest.raises(DBAPIError, match="permission denied"):
            await migrate(engine)
    finally:
        await engine.dispose()
        async with database.engine.begin() as connection:
            await connection.execute(text("DROP ROLE stranger"))
