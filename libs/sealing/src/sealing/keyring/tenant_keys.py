"""Tenant keys: made once, kept wrapped by Vault, unwrapped at most once per cache age."""

import asyncio
import secrets
from collections.abc import Callable

from sealing.keyring.aging_cache import AgingCache
from sealing.keyring.data_key import KEY_BYTES
from sealing.keyring.errors import KeyBroken, KeyringUnavailable
from sealing.keyring.sessions import Sessions
from sealing.keyring.single_flight import SingleFlight
from sealing.keyring.statements import statement
from sealing.keyring.tenant_key import TenantKey
from sealing.keyring.transit import Transit, TransitUnavailable

FIRST = 1


class TenantKeys:
    """Tenant keys by version, from 1."""

    def __init__(
        self,
        sessions: Sessions,
        transit: Transit,
        *,
        limit: int,
        max_age: float,
        clock: Callable[[], float],
        timeout: float,
    ) -> None:
        self._sessions = sessions
        self._transit = transit
        self._timeout = timeout
        self._latest: AgingCache[str, int] = AgingCache(limit=limit, max_age=max_age, clock=clock)
        self._latest_flights: SingleFlight[str, int] = SingleFlight()
        self._keys: AgingCache[tuple[str, int], TenantKey] = AgingCache(
            limit=limit, max_age=max_age, clock=clock
        )
        self._key_flights: SingleFlight[tuple[str, int], TenantKey] = SingleFlight()

    async def latest(self, tenant: str) -> TenantKey:
        """Return the version that new data keys are wrapped under; the first call makes it."""
        version = self._latest.get(tenant)
        if version is None:
            version = await self._latest_flights.run(tenant, lambda: self._find_latest(tenant))
        return await self.at(tenant, version)

    async def first(self, tenant: str) -> TenantKey:
        """Return the version that derived keys come from, for they may never change."""
        if self._keys.get((tenant, FIRST)) is None:
            await self.latest(tenant)
        return await self.at(tenant, FIRST)

    async def at(self, tenant: str, version: int) -> TenantKey:
        """Return a version that is there. Raises KeyBroken when it is not."""
        held = self._keys.get((tenant, version))
        if held is not None:
            return held
        return await self._key_flights.run((tenant, version), lambda: self._load(tenant, version))

    async def close(self) -> None:
        await self._latest_flights.close()
        await self._key_flights.close()
        self._latest.clear()
        self._keys.clear()

    async def _find_latest(self, tenant: str) -> int:
        version = await self._read_latest(tenant)
        if version is None:
            version = await self._make(tenant)
        self._latest.put(tenant, version)
        return version

    async def _read_latest(self, tenant: str) -> int | None:
        async with self._sessions.begin(tenant) as connection:
            latest: int | None = await connection.scalar(
                statement("read_latest_version"), {"tenant": tenant}
            )
            return latest

    async def _make(self, tenant: str) -> int:
        """Keep a new first key unless another process did. It is unwrapped like any other before
        its first use: what Vault wraps but does not unwrap for us must not seal anything.
        """
        wrapped = await self._wrap(tenant, secrets.token_bytes(KEY_BYTES))
        async with self._sessions.begin(tenant) as connection:
            await connection.execute(
                statement("insert_tenant_key"),
                {"tenant": tenant, "version": FIRST, "wrapped": wrapped},
            )
        return FIRST

    async def _load(self, tenant: str, version: int) -> TenantKey:
        async with self._sessions.begin(tenant) as connection:
            wrapped: str | None = await connection.scalar(
                statement("read_tenant_key"), {"tenant": tenant, "version": version}
            )
        if wrapped is None:
            raise KeyBroken(tenant, f"tenant key {version}")
        key = TenantKey.take(tenant, version, await self._unwrap(tenant, wrapped))
        self._keys.put((tenant, version), key)
        return key

    async def _wrap(self, tenant: str, secret: bytes) -> str:
        try:
            async with asyncio.timeout(self._timeout):
                return await self._transit.wrap(tenant, secret)
        except (TransitUnavailable, TimeoutError, OSError) as error:
            raise _vault_away() from error

    async def _unwrap(self, tenant: str, wrapped: str) -> bytearray:
        try:
            async with asyncio.timeout(self._timeout):
                return bytearray(await self._transit.unwrap(tenant, wrapped))
        except (TransitUnavailable, TimeoutError, OSError) as error:
            raise _vault_away() from error


def _vault_away() -> KeyringUnavailable:
    return KeyringUnavailable(
        "Vault is away and the tenant's key is not cached any more: unseal or start Vault, then "
        "retry; nothing else is needed"
    )
