"""Databases as migrations leave them, and engines with the rights of their roles."""

from contextlib import AsyncExitStack

import sealing.keyring.migrate
from careline_cli.provision.migrations import migrate_keyring, migrate_platform
from conftest import Database
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine


async def migrated(database: Database, *services: str) -> None:
    """Make the schemas of services and the keyring's, with their roles."""
    async with database.engine.begin() as connection:
        for role in [f"{service}_{kind}" for service in services for kind in ("owner", "runtime")]:
            # Roles are the whole server's: another test of this worker may have made them.
            await connection.execute(
                text(
                    f"do $$ begin create role {role} nologin; "
                    "exception when duplicate_object then null; end $$"
                )
            )
        for service in services:
            # Builds of projections are schemas of their own.
            await connection.execute(
                text(f'grant create on database "{database.name}" to {service}_owner')
            )
    await migrate_platform(database.engine, services)
    await sealing.keyring.migrate.prepare(database.engine)
    await migrate_keyring(database.engine)


def engine_as(stack: AsyncExitStack, database: Database, role: str) -> AsyncEngine:
    """Make an engine with the rights that a role has; the stack disposes of it."""
    engine = create_async_engine(
        database.url, connect_args={"server_settings": {"role": role}}, pool_size=12
    )
    stack.push_async_callback(engine.dispose)
    return engine
