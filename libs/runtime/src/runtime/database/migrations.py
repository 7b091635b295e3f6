"""Brings the tables of a service's own to their newest version."""

from importlib.resources import files

from eventstore.postgres.upgrade import upgrade
from sqlalchemy.ext.asyncio import AsyncEngine


async def migrate_service(engine: AsyncEngine, service: str) -> None:
    """Run the revisions of a service's package, as `<service>_owner`, in the schema `<service>`.

    See `eventstore.postgres.upgrade` for the rest.
    """
    await upgrade(
        engine,
        service,
        owner_role=f"{service}_owner",
        runtime_role=f"{service}_runtime",
        versions=files(service) / "migrations" / "versions",
        version_table=f"{service}_version",
    )
