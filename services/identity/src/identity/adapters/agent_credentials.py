"""Agents' password hashes and authenticator seeds, rows sealed under the agent's key."""

from typing import Final

from runtime.database.tenant_session import tenant_session
from sealing.keyring import Erased
from sealing.value_sealer import Cell, ValueSealer
from sqlalchemy.ext.asyncio import AsyncEngine

from identity.adapters.statements import statement
from identity.application.credentials import Credential
from identity.domain.agent import Factor

_TABLE: Final = "identity.agent_credential"


class StoredCredentials:
    """AgentCredentials in PostgreSQL."""

    def __init__(self, engine: AsyncEngine, sealer: ValueSealer) -> None:
        self._engine = engine
        self._sealer = sealer
        self._known_tenants: set[str] = set()

    async def knows_tenant(self, tenant: str) -> bool:
        """Look without asking the keyring, which would make a key for any tenant asked for."""
        if tenant not in self._known_tenants:
            async with tenant_session(self._engine, tenant) as connection:
                if not await connection.scalar(statement("tenant_has_agents"), {"tenant": tenant}):
                    return False
            self._known_tenants.add(tenant)
        return True

    async def read(self, tenant: str, agent: str, factor: Factor) -> Credential | None:
        async with tenant_session(self._engine, tenant) as connection:
            found = await connection.execute(
                statement("read_agent_credential"),
                {"tenant": tenant, "agent": agent, "factor": factor},
            )
            row = found.one_or_none()
        if row is None:
            return None
        value = await self._sealer.open(row.sealed, tenant=tenant, cell=_cell(agent, factor))
        return None if isinstance(value, Erased) else Credential(value, row.set_by)

    async def put(
        self, tenant: str, agent: str, factor: Factor, credential: Credential, revision: int
    ) -> None:
        sealed = await self._sealer.seal(
            credential.value, tenant=tenant, subject=agent, cell=_cell(agent, factor)
        )
        async with tenant_session(self._engine, tenant) as connection:
            await connection.execute(
                statement("put_agent_credential"),
                {
                    "tenant": tenant,
                    "agent": agent,
                    "factor": factor,
                    "set_by": credential.set_by,
                    "revision": revision,
                    "sealed": sealed,
                },
            )


def _cell(agent: str, factor: Factor) -> Cell:
    return Cell(_TABLE, f"{agent} {factor}", "sealed")
