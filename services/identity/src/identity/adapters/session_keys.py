"""The keys that sessions' tokens are made with, rows sealed under the agent's key."""

import secrets
from datetime import datetime
from typing import Final

from runtime.database.tenant_session import tenant_session
from sealing.keyring import Erased
from sealing.value_sealer import Cell, ValueSealer
from sqlalchemy.ext.asyncio import AsyncEngine

from identity.adapters.statements import statement
from identity.application.credentials import SessionKey
from identity.application.session_tokens import KEY_BYTES

_TABLE: Final = "identity.session_key"


class SessionKeyLost(Exception):
    """The row just written is not to be read: the agent's data were erased, or the row deleted."""


class StoredSessionKeys:
    """SessionKeys in PostgreSQL. Each new key takes a few expired ones away."""

    def __init__(self, engine: AsyncEngine, sealer: ValueSealer) -> None:
        self._engine = engine
        self._sealer = sealer

    async def read(self, tenant: str, session: str) -> SessionKey | None:
        async with tenant_session(self._engine, tenant) as connection:
            found = await connection.execute(
                statement("read_session_key"), {"tenant": tenant, "session": session}
            )
            row = found.one_or_none()
        if row is None:
            return None
        key = await self._sealer.open(row.sealed, tenant=tenant, cell=_cell(session))
        return None if isinstance(key, Erased) else SessionKey(row.agent, key)

    async def make(
        self, tenant: str, session: str, agent: str, *, expires: datetime, now: datetime
    ) -> SessionKey:
        sealed = await self._sealer.seal(
            secrets.token_bytes(KEY_BYTES), tenant=tenant, subject=agent, cell=_cell(session)
        )
        async with tenant_session(self._engine, tenant) as connection:
            await connection.execute(
                statement("delete_expired_session_keys"), {"tenant": tenant, "now": now}
            )
            await connection.execute(
                statement("put_session_key"),
                {
                    "tenant": tenant,
                    "session": session,
                    "agent": agent,
                    "sealed": sealed,
                    "expire_time": expires,
                },
            )
        kept = await self.read(tenant, session)
        if kept is None:
            raise SessionKeyLost("a session's key is gone right after it was made: sign in anew")
        return kept


def _cell(session: str) -> Cell:
    return Cell(_TABLE, session, "sealed")
