"""Brings messaging's tables in a service's schema to the newest version."""

from importlib.resources import files

from eventstore.postgres.upgrade import upgrade
from sqlalchemy.ext.asyncio import AsyncEngine


async def migrate(engine: AsyncEngine, schema: str, *, owner_role: str, runtime_role: str) -> None:
    """Make or upgrade the tables; `runtime_role` gets what relay and consumers need.

    See `eventstore.postgres.upgrade` for the rest.
    """
    await upgrade(
        engine,
        schema,
        owner_role=owner_role,
        runtime_role=runtime_role,
        versions=files("messaging") / "migrations" / "versions",
        version_table="messaging_version",
    )
