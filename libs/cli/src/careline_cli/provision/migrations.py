"""Brings every schema to its newest version; again is a no-op."""

from collections.abc import Iterable
from importlib.resources import files

import eventstore.postgres.migrate
import messaging.migrate
import sealing.keyring.migrate
from runtime.database.migrations import migrate_service
from sqlalchemy.ext.asyncio import AsyncEngine


async def migrate_platform(database: AsyncEngine, services: Iterable[str]) -> None:
    """Make or upgrade each service's log, its messaging tables and its own tables."""
    for service in services:
        roles = {"owner_role": f"{service}_owner", "runtime_role": f"{service}_runtime"}
        await eventstore.postgres.migrate.migrate(database, service, **roles)
        await messaging.migrate.migrate(database, service, **roles)
        if files(service).joinpath("migrations").is_dir():
            await migrate_service(database, service)


async def migrate_keyring(database: AsyncEngine) -> None:
    await sealing.keyring.migrate.migrate(database)
