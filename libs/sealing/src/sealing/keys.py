"""What sealing asks of the keyring."""

from collections.abc import Collection, Mapping
from typing import Protocol
from uuid import UUID

from sealing.keyring.data_key import DataKey, Erased


class Keys(Protocol):
    """The part of Keyring that seals and opens."""

    async def data_key(self, tenant: str, subject: str) -> DataKey: ...

    async def keys_by_id(
        self, tenant: str, ids: Collection[UUID]
    ) -> Mapping[UUID, DataKey | Erased]: ...
