"""The key that one subject's PII and PHI are sealed under."""

import os
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

KEY_BYTES = 32
NONCE_BYTES = 12


class NotAuthentic(Exception):
    """The ciphertext, its nonce or its context is not what was encrypted under this key."""


@dataclass(frozen=True, slots=True, eq=False)
class DataKey:
    """AES-256-GCM under one subject's key.

    The key's bytes are in the cipher alone, which OpenSSL wipes when the last holder lets it go;
    no attribute, repr or pickle gives them away. Nonces are random, so a key is good for 2**32
    messages (NIST SP 800-38D, 8.3).
    """

    id: UUID
    tenant: str
    subject: str
    _cipher: AESGCM = field(repr=False)

    @classmethod
    def take(cls, key_id: UUID, tenant: str, subject: str, key: bytearray) -> "DataKey":
        """Build from the key's 32 bytes and zero them."""
        try:
            return cls(key_id, tenant, subject, AESGCM(key))
        finally:
            key[:] = bytes(len(key))

    def encrypt(self, plaintext: bytes, context: bytes) -> tuple[bytes, bytes]:
        """Return a fresh nonce (12 bytes) and the ciphertext with its tag (16 bytes longer)."""
        nonce = os.urandom(NONCE_BYTES)
        return nonce, self._cipher.encrypt(nonce, plaintext, context)

    def decrypt(self, nonce: bytes, ciphertext: bytes, context: bytes) -> bytes:
        """Raise NotAuthentic unless all three are as at encryption."""
        if len(nonce) != NONCE_BYTES:
            raise NotAuthentic
        try:
            return self._cipher.decrypt(nonce, ciphertext, context)
        except InvalidTag:
            raise NotAuthentic from None


@dataclass(frozen=True, slots=True)
class Erased:
    """Where a key was until its subject was erased."""

    key_id: UUID
    subject: str
    erased_at: datetime
