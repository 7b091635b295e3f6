"""Signing keys in memory, for fast tests of what stands behind the interceptors."""

from collections.abc import Mapping

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey


class LocalKeys:
    """A signer and source of public keys whose keys exist from the first use on."""

    def __init__(self) -> None:
        self._keys: dict[str, list[Ed25519PrivateKey]] = {}

    async def sign(self, key: str, data: bytes) -> tuple[int, bytes]:
        versions = self._versions(key)
        return len(versions), versions[-1].sign(data)

    async def newest_version(self, key: str) -> int:
        return len(self._versions(key))

    async def public_keys(self, key: str) -> Mapping[int, bytes]:
        return {
            number: version.public_key().public_bytes_raw()
            for number, version in enumerate(self._versions(key), start=1)
        }

    def rotate(self, key: str) -> None:
        """Add a version, with which everything is signed from now on."""
        self._versions(key).append(Ed25519PrivateKey.generate())

    def _versions(self, key: str) -> list[Ed25519PrivateKey]:
        return self._keys.setdefault(key, [Ed25519PrivateKey.generate()])
