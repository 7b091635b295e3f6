"""Keys that are the same in every run, so that the same event is the same bytes each time."""

from collections.abc import Collection, Mapping
from datetime import UTC, datetime
from hashlib import sha256
from uuid import UUID

from sealing.keyring import DataKey, Erased, UnknownKey
from sealing.keyring.data_key import NONCE_BYTES


class FixedKey(DataKey):
    """Draws no nonce: it follows from what is encrypted, which for a test key is safe enough."""

    __slots__ = ()

    def encrypt(self, plaintext: bytes, context: bytes) -> tuple[bytes, bytes]:
        nonce = sha256(context + plaintext).digest()[:NONCE_BYTES]
        return nonce, self._cipher.encrypt(nonce, plaintext, context)


class FixedKeys:
    """One key for everybody; `erased`: its subject was."""

    ID = UUID(int=0x7E57)

    def __init__(self, *, erased: bool = False) -> None:
        self._erased = erased

    async def data_key(self, tenant: str, subject: str) -> DataKey:
        return FixedKey.take(
            self.ID, tenant, subject, bytearray(b"a key of tests and nothing else!")
        )

    async def keys_by_id(
        self, tenant: str, ids: Collection[UUID]
    ) -> Mapping[UUID, DataKey | Erased]:
        for key_id in set(ids) - {self.ID}:
            raise UnknownKey(tenant, key_id)
        gone = Erased(self.ID, "", datetime(2026, 1, 1, tzinfo=UTC))
        key = gone if self._erased else await self.data_key(tenant, "")
        return dict.fromkeys(ids, key)
