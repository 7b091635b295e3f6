"""Keyed hashes under keys of the tenant: of user names, of what patients are found by, of codes."""

import hmac
from collections.abc import Iterable
from typing import Final, Protocol

from sealing.framing import framed

NAMES: Final = "identity.user-name"
PATIENTS: Final = "identity.patient-keys"
CODES: Final = "identity.one-time-code"
_INDEX_BYTES: Final = 16


class IndexKeys(Protocol):
    """Derives keys for a tenant and purpose: sealing's Keyring."""

    async def index_key(self, tenant: str, purpose: str) -> bytes: ...


class KeyedHashes:
    """HMAC-SHA256 over the framed parts; indexes are cut to 16 bytes."""

    def __init__(self, keys: IndexKeys) -> None:
        self._keys = keys

    async def of_user_name(self, tenant: str, normal_name: str) -> str:
        """Give the id of the stream that the name is claimed in."""
        key = await self._keys.index_key(tenant, NAMES)
        return _hash(key, (normal_name,))[:_INDEX_BYTES].hex()

    async def of_patient_keys(self, tenant: str, keys: Iterable[tuple[str, ...]]) -> list[bytes]:
        key = await self._keys.index_key(tenant, PATIENTS)
        return sorted(_hash(key, parts)[:_INDEX_BYTES] for parts in keys)

    async def of_code(self, tenant: str, *bound_to: str) -> bytes:
        key = await self._keys.index_key(tenant, CODES)
        return _hash(key, bound_to)


def _hash(key: bytes, parts: tuple[str, ...]) -> bytes:
    return hmac.digest(key, framed(*parts), "sha256")
