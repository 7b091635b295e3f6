"""Data keys held in memory: what sealing costs once the keyring's cache has the keys."""

from collections.abc import Collection, Mapping
from uuid import UUID, uuid4

from sealing.keyring import DataKey, Erased


class KeysInMemory:
    """Real AES-256-GCM keys, one a subject, made when first asked for."""

    def __init__(self) -> None:
        self._by_subject: dict[tuple[str, str], DataKey] = {}
        self._by_id: dict[UUID, DataKey] = {}

    async def data_key(self, tenant: str, subject: str) -> DataKey:
        key = self._by_subject.get((tenant, subject))
        if key is None:
            key = DataKey.take(uuid4(), tenant, subject, bytearray(uuid4().bytes * 2))
            self._by_subject[tenant, subject] = key
            self._by_id[key.id] = key
        return key

    async def keys_by_id(
        self, _tenant: str, ids: Collection[UUID], /
    ) -> Mapping[UUID, DataKey | Erased]:
        return {key_id: self._by_id[key_id] for key_id in ids}
