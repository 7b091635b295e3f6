"""The keyring as services use it."""

import time
from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass
from types import TracebackType
from typing import Self
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncEngine

from sealing.keyring.data_key import DataKey, Erased
from sealing.keyring.data_keys import DataKeys
from sealing.keyring.erasure import Erasure, Erasures
from sealing.keyring.errors import UnknownKey
from sealing.keyring.key_cache import KeyCache
from sealing.keyring.links import Link, Links
from sealing.keyring.names import (
    require_purpose,
    require_request,
    require_subjects,
    require_tenant,
)
from sealing.keyring.sessions import Sessions
from sealing.keyring.single_flight import SingleFlight
from sealing.keyring.tenant_keys import TenantKeys
from sealing.keyring.transit import Transit


@dataclass(frozen=True, slots=True)
class Limits:
    """Bounds: how many keys are held in clear and for how many seconds, and how long to wait.

    `tenant_key_age` is how long sealing goes on without Vault, `data_key_age` how long a process
    that missed an erasure can still open what was erased.
    """

    data_keys: int = 10_000
    data_key_age: float = 300.0
    tenant_keys: int = 256
    tenant_key_age: float = 900.0
    timeout: float = 5.0
    erasure_timeout: float = 60.0


class Keyring:
    """Makes, finds, links and erases data keys, and derives the index keys of a tenant.

    Subjects and patients are resource names. Every call raises KeyringUnavailable when it needs
    the database or Vault and does not get them, and ValueError for a malformed name.
    """

    def __init__(
        self,
        engine: AsyncEngine,
        transit: Transit,
        *,
        limits: Limits | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        bounds = limits or Limits()
        sessions = Sessions(engine, timeout=bounds.timeout)
        self._tenant_keys = TenantKeys(
            sessions,
            transit,
            limit=bounds.tenant_keys,
            max_age=bounds.tenant_key_age,
            clock=clock,
            timeout=bounds.timeout,
        )
        self._data_keys = DataKeys(sessions, self._tenant_keys)
        self._links = Links(sessions)
        self._erasures = Erasures(Sessions(engine, timeout=bounds.erasure_timeout))
        self._cache = KeyCache(limit=bounds.data_keys, max_age=bounds.data_key_age, clock=clock)
        self._flights: SingleFlight[tuple[str, str, int], DataKey] = SingleFlight()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self.close()

    async def close(self) -> None:
        """Stop what is under way and let go of every key."""
        await self._flights.close()
        await self._tenant_keys.close()
        self._cache.clear()

    async def data_key(self, tenant: str, subject: str) -> DataKey:
        """Return the subject's key, making it when there is none; it is committed on return.

        Raises SubjectErased.
        """
        held = self._cache.by_subject(tenant, subject)
        if held is not None:
            return held
        require_tenant(tenant)
        require_subjects(subject)
        forgotten = self._cache.forgotten
        return await self._flights.run(
            (tenant, subject, forgotten), lambda: self._load(tenant, subject, forgotten)
        )

    async def keys_by_id(self, tenant: str, ids: Collection[UUID]) -> dict[UUID, DataKey | Erased]:
        """Return each id's key, or that it was erased, by one query for all that are not held.

        Raises UnknownKey for an id that never was.
        """
        require_tenant(tenant)
        held = {key_id: self._cache.by_id(tenant, key_id) for key_id in ids}
        keys: dict[UUID, DataKey | Erased] = {
            key_id: key for key_id, key in held.items() if key is not None
        }
        missing = held.keys() - keys.keys()
        if not missing:
            return keys
        forgotten = self._cache.forgotten
        for key in await self._data_keys.by_id(tenant, missing):
            if isinstance(key, DataKey):
                self._cache.put(key, forgotten=forgotten)
                keys[key.id] = key
            else:
                keys[key.key_id] = key
        for key_id in missing - keys.keys():
            raise UnknownKey(tenant, key_id)
        return keys

    async def is_erased(self, tenant: str, subject: str) -> bool:
        """Tell whether the subject was erased, as the database has it now; makes no key."""
        require_tenant(tenant)
        require_subjects(subject)
        return await self._data_keys.is_erased(tenant, subject)

    async def index_key(self, tenant: str, purpose: str) -> bytes:
        """Derive the tenant's 32-byte key for a purpose, as `blind-index`; always the same."""
        require_tenant(tenant)
        require_purpose(purpose)
        return (await self._tenant_keys.first(tenant)).derive(purpose)

    async def link(self, tenant: str, subject: str, patient: str) -> None:
        """Note that the subject is about the patient. Raises SubjectErased when either was erased:
        what arrives so late about an erased patient is to be erased by a request of its own.
        """
        require_tenant(tenant)
        require_subjects(subject, patient)
        await self._links.add(tenant, subject, patient)

    async def unlink(self, tenant: str, subject: str, patient: str) -> None:
        """Take a link back."""
        require_tenant(tenant)
        require_subjects(subject, patient)
        await self._links.remove(tenant, subject, patient)

    async def merge(self, tenant: str, *, merged: str, survivor: str) -> None:
        """Note that erasing the surviving patient is to erase the merged one and all of its own."""
        await self.link(tenant, merged, survivor)

    async def unmerge(self, tenant: str, *, merged: str, survivor: str) -> None:
        """Take a merge back."""
        await self.unlink(tenant, merged, survivor)

    async def links(self, tenant: str, subject: str) -> tuple[Link, ...]:
        """Return the subject's links, by patient."""
        require_tenant(tenant)
        require_subjects(subject)
        return await self._links.of(tenant, subject)

    async def erase(self, tenant: str, patient: str, request_id: str) -> Erasure:
        """Delete the patient's key and those of subjects linked to this patient alone, for good.

        Idempotent by request. Other processes hold keys until told to forget or until they age.
        Raises ErasureRequestReused, ErasureNotPermitted.
        """
        require_tenant(tenant)
        require_subjects(patient)
        require_request(request_id)
        erasure = await self._erasures.erase(tenant, patient, request_id)
        self.forget(tenant, erasure.erased)
        return erasure

    def forget(self, tenant: str, subjects: Iterable[str]) -> None:
        """Let go of these subjects' keys at once, also of those being loaded right now."""
        self._cache.forget(tenant, subjects)

    async def _load(self, tenant: str, subject: str, forgotten: int) -> DataKey:
        key = await self._data_keys.get_or_create(tenant, subject)
        self._cache.put(key, forgotten=forgotten)
        return key
