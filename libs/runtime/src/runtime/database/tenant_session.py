"""A transaction that sees one tenant's rows and no other's."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from importlib.resources import files

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from runtime.tenant import is_tenant

_SET_TENANT = text(files(__package__).joinpath("set_tenant.sql").read_text())


@asynccontextmanager
async def tenant_session(engine: AsyncEngine, tenant: str) -> AsyncIterator[AsyncConnection]:
    """Open a transaction bound to a tenant by row-level security; raises ValueError for none."""
    if not is_tenant(tenant):
        raise ValueError("a session needs one tenant, written as a slug")
    async with engine.begin() as connection:
        await connection.execute(_SET_TENANT, {"tenant": tenant})
        yield connection
