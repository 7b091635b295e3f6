"""Data keys in clear that this process holds for a while."""

from collections.abc import Callable, Iterable
from uuid import UUID

from sealing.keyring.aging_cache import AgingCache
from sealing.keyring.data_key import DataKey


class KeyCache:
    """Finds a key by subject or by id. `forgotten` counts the times that something was forgotten:
    a key whose loading began before must not be put in after.
    """

    def __init__(self, *, limit: int, max_age: float, clock: Callable[[], float]) -> None:
        self.forgotten = 0
        self._subject_of: dict[tuple[str, UUID], str] = {}
        self._keys: AgingCache[tuple[str, str], DataKey] = AgingCache(
            limit=limit, max_age=max_age, clock=clock, dropped=self._dropped
        )

    def __len__(self) -> int:
        return len(self._keys)

    def by_subject(self, tenant: str, subject: str) -> DataKey | None:
        return self._keys.get((tenant, subject))

    def by_id(self, tenant: str, key_id: UUID) -> DataKey | None:
        subject = self._subject_of.get((tenant, key_id))
        return None if subject is None else self.by_subject(tenant, subject)

    def put(self, key: DataKey, *, forgotten: int) -> None:
        """Hold the key, unless something was forgotten since the count was `forgotten`."""
        if forgotten != self.forgotten:
            return
        self._keys.put((key.tenant, key.subject), key)
        self._subject_of[key.tenant, key.id] = key.subject

    def forget(self, tenant: str, subjects: Iterable[str]) -> None:
        self.forgotten += 1
        for subject in subjects:
            self._keys.drop((tenant, subject))

    def clear(self) -> None:
        self.forgotten += 1
        self._keys.clear()

    def _dropped(self, key: DataKey) -> None:
        del self._subject_of[key.tenant, key.id]
