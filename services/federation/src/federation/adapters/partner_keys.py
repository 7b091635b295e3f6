"""Which partner key is whose, over all tenants: a key names a stream of the PLATFORM account."""

from runtime.database.tenant_session import tenant_session
from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncEngine

from federation.adapters import tables


class PostgresPartnerKeys:
    """Rows of `partner_key`; one of another tenant's is invisible and still takes its key."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine

    async def claim(self, tenant: str, partner_key: str, partner: str) -> bool:
        """Take a key for a partner for good; tells whether it is that partner's."""
        table = tables.partner_key
        row = {"partner_key": partner_key, "tenant": tenant, "partner": partner}
        async with tenant_session(self._engine, tenant) as connection:
            await connection.execute(insert(table).values(row).on_conflict_do_nothing())
            owner = await connection.scalar(
                select(table.c.partner).where(table.c.partner_key == partner_key)
            )
        return owner == partner
