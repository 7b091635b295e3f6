"""Brings a schema's log to the newest version."""

from importlib.resources import files

from sqlalchemy.ext.asyncio import AsyncEngine

from eventstore.postgres.upgrade import upgrade


async def migrate(engine: AsyncEngine, schema: str, *, owner_role: str, runtime_role: str) -> None:
    """Make or upgrade the log in `schema`; does nothing when it is up to date.

    `runtime_role` gets what appending, reading and projecting need. See `upgrade` for the rest.
    """
    await upgrade(
        engine,
        schema,
        owner_role=owner_role,
        runtime_role=runtime_role,
        versions=files("eventstore.postgres") / "migrations" / "versions",
        version_table="eventstore_version",
    )
