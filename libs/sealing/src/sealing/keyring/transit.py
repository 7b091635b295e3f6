"""What the keyring asks of Vault: wrapping a tenant's key under its Transit key."""

from typing import Protocol


class TransitUnavailable(Exception):
    """Vault is sealed, stopped or out of reach, or did not answer in time. Raised by a Transit."""


class Transit(Protocol):
    """Vault Transit, key `tenant-<tenant>`; one plaintext a call. Raises TransitUnavailable."""

    async def wrap(self, tenant: str, plaintext: bytes) -> str:
        """Return the ciphertext as Vault writes it, `vault:v1:…`."""

    async def unwrap(self, tenant: str, wrapped: str) -> bytes: ...
