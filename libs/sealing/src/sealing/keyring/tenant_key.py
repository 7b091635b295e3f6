"""The key of a tenant, which wraps its data keys and from which its index keys are derived."""

import os
from dataclasses import dataclass, field
from uuid import UUID

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from sealing.framing import framed
from sealing.keyring.data_key import KEY_BYTES, NONCE_BYTES, DataKey
from sealing.keyring.errors import KeyBroken

_TAG_BYTES = 16
_WRAPPED_BYTES = NONCE_BYTES + KEY_BYTES + _TAG_BYTES


@dataclass(frozen=True, slots=True, eq=False)
class TenantKey:
    """A version of a tenant's key, in clear. Its bytes are zeroed when the last holder lets go."""

    tenant: str
    version: int
    _secret: bytearray = field(repr=False)
    _cipher: AESGCM = field(repr=False)

    @classmethod
    def take(cls, tenant: str, version: int, secret: bytearray) -> "TenantKey":
        """Build from the key's 32 bytes, which belong to it from now on."""
        if len(secret) != KEY_BYTES:
            raise KeyBroken(tenant, f"tenant key {version}")
        return cls(tenant, version, secret, AESGCM(secret))

    def __del__(self) -> None:
        self._secret[:] = bytes(len(self._secret))

    def __reduce__(self) -> str:
        raise TypeError("a key is neither copied nor pickled")

    def wrap(self, key_id: UUID, subject: str, key: bytearray) -> bytes:
        """Encrypt a data key for its row: nonce, ciphertext, tag, bound to tenant, subject, id."""
        nonce = os.urandom(NONCE_BYTES)
        return nonce + self._cipher.encrypt(nonce, key, self._context(key_id, subject))

    def unwrap(self, key_id: UUID, subject: str, wrapped: bytes) -> DataKey:
        """Build the data key of a row. Raises KeyBroken."""
        key = bytearray(KEY_BYTES)
        nonce, ciphertext = wrapped[:NONCE_BYTES], wrapped[NONCE_BYTES:]
        if len(wrapped) != _WRAPPED_BYTES:
            raise KeyBroken(self.tenant, f"data key {key_id}")
        try:
            self._cipher.decrypt_into(nonce, ciphertext, self._context(key_id, subject), key)
        except InvalidTag:
            raise KeyBroken(self.tenant, f"data key {key_id}") from None
        return DataKey.take(key_id, self.tenant, subject, key)

    def derive(self, purpose: str) -> bytes:
        """Derive the 32-byte key of a purpose: HKDF-SHA256 (RFC 5869), no salt."""
        info = framed("careline.keyring.purpose", self.tenant, purpose)
        return HKDF(SHA256(), KEY_BYTES, salt=None, info=info).derive(self._secret)

    def _context(self, key_id: UUID, subject: str) -> bytes:
        return framed("careline.keyring.data-key", self.tenant, subject, key_id.bytes)
