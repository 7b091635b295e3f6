"""A keyring without servers: real keys, kept in a dictionary."""

from collections.abc import Collection, Mapping
from datetime import UTC, datetime
from uuid import UUID, uuid4

from sealing.keyring import DataKey, Erased, SubjectErased, UnknownKey


class KeysInMemory:
    """Counts its queries. `erase` leaves a tombstone."""

    def __init__(self) -> None:
        self._keys: dict[tuple[str, str], DataKey] = {}
        self._erased: dict[tuple[str, UUID], Erased] = {}
        self.queries: list[tuple[str, frozenset[UUID]]] = []

    async def data_key(self, tenant: str, subject: str) -> DataKey:
        if subject in {erased.subject for erased in self._erased.values()}:
            raise SubjectErased(tenant, subject)
        made = DataKey.take(uuid4(), tenant, subject, bytearray(uuid4().bytes * 2))
        return self._keys.setdefault((tenant, subject), made)

    async def keys_by_id(
        self, tenant: str, ids: Collection[UUID]
    ) -> Mapping[UUID, DataKey | Erased]:
        self.queries.append((tenant, frozenset(ids)))
        known: dict[UUID, DataKey | Erased] = {
            key.id: key for (owner, _), key in self._keys.items() if owner == tenant
        }
        known |= {key_id: gone for (owner, key_id), gone in self._erased.items() if owner == tenant}
        for key_id in set(ids) - known.keys():
            raise UnknownKey(tenant, key_id)
        return {key_id: known[key_id] for key_id in ids}

    def erase(self, tenant: str, subject: str) -> None:
        key = self._keys.pop((tenant, subject))
        self._erased[tenant, key.id] = Erased(key.id, subject, datetime.now(UTC))

    def share(self, tenant: str, subject: str, other: str) -> None:
        """Let another tenant have the key, as no keyring would."""
        self._keys[other, subject] = self._keys[tenant, subject]
