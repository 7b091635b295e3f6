"""One-time codes as rows with their HMAC, drawn once by one of those who ask."""

from datetime import datetime

from runtime.database.tenant_session import tenant_session
from sqlalchemy.ext.asyncio import AsyncEngine

from identity.adapters.keyed_hashes import KeyedHashes
from identity.adapters.statements import statement


class StoredCodes:
    """CodeMacs in PostgreSQL. Each new code takes a few expired ones away."""

    def __init__(self, engine: AsyncEngine, hashes: KeyedHashes) -> None:
        self._engine = engine
        self._hashes = hashes

    async def mac(self, tenant: str, *bound_to: str) -> bytes:
        return await self._hashes.of_code(tenant, *bound_to)

    async def claim(
        self,
        tenant: str,
        code: str,
        mac: bytes,
        *,
        expires: datetime,
        now: datetime,
        stale: datetime,
    ) -> bool:
        """Let one of those who ask at the same time have the row, by its conditional update."""
        async with tenant_session(self._engine, tenant) as connection:
            await connection.execute(
                statement("delete_expired_one_time_codes"), {"tenant": tenant, "now": now}
            )
            claimed = await connection.scalar(
                statement("claim_one_time_code"),
                {
                    "tenant": tenant,
                    "code": code,
                    "mac": mac,
                    "now": now,
                    "expire_time": expires,
                    "stale": stale,
                },
            )
        return claimed is not None

    async def is_handed_over(self, tenant: str, code: str) -> bool:
        async with tenant_session(self._engine, tenant) as connection:
            found = await connection.execute(
                statement("read_one_time_code"), {"tenant": tenant, "code": code}
            )
            row = found.one_or_none()
        return row is not None and row.handed_over

    async def handed_over(self, tenant: str, code: str, mac: bytes) -> None:
        await self._execute("hand_over_one_time_code", tenant, code, mac=mac)

    async def release(self, tenant: str, code: str, mac: bytes) -> None:
        await self._execute("release_one_time_code", tenant, code, mac=mac)

    async def read(self, tenant: str, code: str) -> bytes | None:
        async with tenant_session(self._engine, tenant) as connection:
            mac: bytes | None = await connection.scalar(
                statement("read_one_time_code"), {"tenant": tenant, "code": code}
            )
        return mac

    async def forget(self, tenant: str, code: str) -> None:
        await self._execute("delete_one_time_code", tenant, code)

    async def _execute(self, name: str, tenant: str, code: str, **more: bytes) -> None:
        async with tenant_session(self._engine, tenant) as connection:
            await connection.execute(statement(name), {"tenant": tenant, "code": code, **more})
