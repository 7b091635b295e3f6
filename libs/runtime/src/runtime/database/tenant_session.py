"""Transactions that see one tenant's rows and no other's, or, where work is nobody's, all."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from runtime.database.statements import statement_of
from runtime.tenant import ALL_TENANTS, is_tenant


@asynccontextmanager
async def tenant_session(engine: AsyncEngine, tenant: str) -> AsyncIterator[AsyncConnection]:
    """Open a transaction bound to a tenant by row-level security; raises ValueError for none."""
    if not is_tenant(tenant):
        raise ValueError("a session needs one tenant, written as a slug")
    async with _session(engine, tenant) as connection:
        yield connection


@asynccontextmanager
async def session_of_all_tenants(engine: AsyncEngine) -> AsyncIterator[AsyncConnection]:
    """Open a transaction that sees every tenant's rows: for chores, never for a call."""
    async with _session(engine, ALL_TENANTS) as connection:
        yield connection


@asynccontextmanager
async def _session(engine: AsyncEngine, tenant: str) -> AsyncIterator[AsyncConnection]:
    async with engine.begin() as connection:
        await connection.execute(statement_of("runtime.database", "set_tenant"), {"tenant": tenant})
        yield connection
