"""What tokens need of a signer: Vault Transit has it, and keys in memory for tests do."""

from collections.abc import Mapping
from typing import Protocol


class Signer(Protocol):
    """Holds ed25519 keys by name, each in versions from 1."""

    async def sign(self, key: str, data: bytes) -> tuple[int, bytes]:
        """Sign with the newest version; gives that version and the 64 bytes of the signature."""

    async def newest_version(self, key: str) -> int:
        """Tell which version signs now."""


class PublicKeySource(Protocol):
    """Hands out public keys."""

    async def public_keys(self, key: str) -> Mapping[int, bytes]:
        """Give the raw 32-byte public keys by version; empty when there is no such key."""
