"""Data keys in the keyring's database."""

import secrets
from collections.abc import Collection
from typing import NamedTuple
from uuid import UUID, uuid4

from sqlalchemy.ext.asyncio import AsyncConnection

from sealing.keyring.data_key import KEY_BYTES, DataKey, Erased
from sealing.keyring.errors import SubjectErased
from sealing.keyring.sessions import Against, Sessions
from sealing.keyring.statements import statement
from sealing.keyring.tenant_keys import TenantKeys


class _Row(NamedTuple):
    key_id: UUID
    subject: str
    wrapped: bytes
    tenant_key_version: int


class DataKeys:
    """Reads and makes data keys; caches nothing."""

    def __init__(self, sessions: Sessions, tenant_keys: TenantKeys) -> None:
        self._sessions = sessions
        self._tenant_keys = tenant_keys

    async def get_or_create(self, tenant: str, subject: str) -> DataKey:
        """Return the subject's one key, committed. Raises SubjectErased."""
        async with self._sessions.begin(tenant) as connection:
            row = await _read(connection, tenant, subject)
        if row is None:
            row = await self._create(tenant, subject)
        return await self._unwrap(tenant, row)

    async def is_erased(self, tenant: str, subject: str) -> bool:
        """Tell whether the subject has a tombstone; makes nothing."""
        asked = {"tenant": tenant, "subject": subject}
        async with self._sessions.begin(tenant) as connection:
            erased: bool = (await connection.execute(statement("read_key"), asked)).one().erased
        return erased

    async def by_id(self, tenant: str, ids: Collection[UUID]) -> list[DataKey | Erased]:
        """Return what is known of the ids, in no order; nothing of an id that never was."""
        async with self._sessions.begin(tenant) as connection:
            found = await connection.execute(
                statement("read_keys_by_id"), {"tenant": tenant, "ids": list(ids)}
            )
            rows = found.all()
        return [
            await self._unwrap(tenant, _Row(row.key_id, row.subject, row.wrapped, row.version))
            if row.erased_at is None
            else Erased(row.key_id, row.subject, row.erased_at)
            for row in rows
        ]

    async def _create(self, tenant: str, subject: str) -> _Row:
        """Insert a key unless another process did; return the one that is there, committed."""
        tenant_key = await self._tenant_keys.latest(tenant)
        key_id, key = uuid4(), bytearray(secrets.token_bytes(KEY_BYTES))
        made = _Row(key_id, subject, tenant_key.wrap(key_id, subject, key), tenant_key.version)
        key[:] = bytes(KEY_BYTES)
        async with self._sessions.begin(tenant, Against.ERASURES) as connection:
            inserted = await connection.execute(
                statement("insert_key"), {"tenant": tenant, **made._asdict()}
            )
            row = made if inserted.one_or_none() else await _read(connection, tenant, subject)
        if row is None:
            # Neither inserted nor there, with erasures locked out: only a tombstone does that,
            # and reading raises for it.
            raise SubjectErased(tenant, subject)
        return row

    async def _unwrap(self, tenant: str, row: _Row) -> DataKey:
        tenant_key = await self._tenant_keys.at(tenant, row.tenant_key_version)
        return tenant_key.unwrap(row.key_id, row.subject, row.wrapped)


async def _read(connection: AsyncConnection, tenant: str, subject: str) -> _Row | None:
    """Read a key that is on the standby, too, when the transaction has ended."""
    found = await connection.execute(statement("read_key"), {"tenant": tenant, "subject": subject})
    row = found.one()
    if row.erased:
        raise SubjectErased(tenant, subject)
    if row.key_id is None:
        return None
    await connection.execute(statement("await_standby"))
    return _Row(row.key_id, subject, row.wrapped, row.version)
