"""Service accounts' secrets: rows with a digest, and until the first use sealed the secret."""

from typing import Final

from runtime.database.tenant_session import tenant_session
from sealing.keyring import Erased
from sealing.value_sealer import Cell, ValueSealer
from sqlalchemy.ext.asyncio import AsyncEngine

from identity.adapters.statements import statement
from identity.application.service_accounts import KeptSecret

_TABLE: Final = "identity.service_account_secret"


class StoredSecrets:
    """Secrets in PostgreSQL."""

    def __init__(self, engine: AsyncEngine, sealer: ValueSealer) -> None:
        self._engine = engine
        self._sealer = sealer

    async def read(self, tenant: str, account: str) -> KeptSecret | None:
        async with tenant_session(self._engine, tenant) as connection:
            found = await connection.execute(
                statement("read_service_account_secret"),
                {"tenant": tenant, "service_account": account},
            )
            row = found.one_or_none()
        if row is None:
            return None
        if row.sealed is None:
            return KeptSecret(row.secret_digest)
        secret = await self._sealer.open(row.sealed, tenant=tenant, cell=_cell(account))
        return KeptSecret(
            row.secret_digest, None if isinstance(secret, Erased) else secret.decode()
        )

    async def put(self, tenant: str, account: str, kept: KeptSecret) -> None:
        sealed = None
        if kept.secret is not None:
            sealed = await self._sealer.seal(
                kept.secret.encode(), tenant=tenant, subject=account, cell=_cell(account)
            )
        async with tenant_session(self._engine, tenant) as connection:
            await connection.execute(
                statement("put_service_account_secret"),
                {
                    "tenant": tenant,
                    "service_account": account,
                    "secret_digest": kept.digest,
                    "sealed": sealed,
                },
            )

    async def forget(self, tenant: str, account: str) -> None:
        async with tenant_session(self._engine, tenant) as connection:
            await connection.execute(
                statement("forget_service_account_secret"),
                {"tenant": tenant, "service_account": account},
            )


def _cell(account: str) -> Cell:
    return Cell(_TABLE, account, "sealed")
