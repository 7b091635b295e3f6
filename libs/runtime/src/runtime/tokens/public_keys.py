"""Public keys of Transit keys, kept for a bounded time."""

import asyncio
from collections.abc import Collection, Mapping
from dataclasses import dataclass

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from runtime.tokens.signing import PublicKeySource
from runtime.vault.errors import VaultUnavailable


class UnknownSigningKey(Exception):
    """No such key, or no such version of it."""


class SigningKeysUnavailable(Exception):
    """The keys can not be fetched and those at hand are too old; retry when Vault is back."""


@dataclass(frozen=True, slots=True)
class _Versions:
    keys: Mapping[int, Ed25519PublicKey]
    fetched_at: float


class PublicKeys:
    """Public keys by key name and version.

    Keys older than `fresh_seconds` are fetched again; while that fails they serve until
    `usable_seconds`. A key is fetched at most once in `fetch_interval` seconds, whatever key ids
    callers make up, and only names in `names` ever are.
    """

    def __init__(
        self,
        source: PublicKeySource,
        names: Collection[str],
        *,
        fresh_seconds: float = 60,
        usable_seconds: float = 900,
        fetch_interval: float = 1,
    ) -> None:
        self._source = source
        self._known: dict[str, _Versions] = {}
        self._attempts: dict[str, float] = {}
        self._locks = {name: asyncio.Lock() for name in names}
        self._fresh_seconds = fresh_seconds
        self._usable_seconds = usable_seconds
        self._fetch_interval = fetch_interval

    async def get(self, name: str, version: int) -> Ed25519PublicKey:
        """Give a public key; raises UnknownSigningKey or SigningKeysUnavailable."""
        if name not in self._locks:
            raise UnknownSigningKey(name)
        if not self._is_fresh(name, version):
            async with self._locks[name]:
                if not self._is_fresh(name, version) and self._may_fetch(name):
                    await self._fetch(name)
        versions = self._known.get(name)
        if versions is None or self._age(versions) > self._usable_seconds:
            raise SigningKeysUnavailable(
                "signing keys can not be fetched; retry when Vault is back"
            )
        if version not in versions.keys:
            raise UnknownSigningKey(name)
        return versions.keys[version]

    def _is_fresh(self, name: str, version: int) -> bool:
        versions = self._known.get(name)
        return (
            versions is not None
            and version in versions.keys
            and self._age(versions) < self._fresh_seconds
        )

    def _age(self, versions: _Versions) -> float:
        return _now() - versions.fetched_at

    def _may_fetch(self, name: str) -> bool:
        """Tell whether the last attempt is long enough ago, and count this as one if so."""
        last = self._attempts.get(name)
        if last is not None and _now() - last < self._fetch_interval:
            return False
        self._attempts[name] = _now()
        return True

    async def _fetch(self, name: str) -> None:
        try:
            raw = await self._source.public_keys(name)
        except VaultUnavailable:
            return
        keys = {version: Ed25519PublicKey.from_public_bytes(data) for version, data in raw.items()}
        self._known[name] = _Versions(keys, _now())


def _now() -> float:
    return asyncio.get_running_loop().time()
