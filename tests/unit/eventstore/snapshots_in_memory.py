"""A snapshot store that outlives an executor, and can be away."""

from eventstore.errors import LogUnavailable
from eventstore.snapshots import Snapshot, SnapshotKey


class SnapshotsInMemory:
    def __init__(self) -> None:
        self.kept: dict[SnapshotKey, Snapshot] = {}
        self.is_away = False

    async def read(self, key: SnapshotKey) -> Snapshot | None:
        self._require()
        return self.kept.get(key)

    async def write(self, key: SnapshotKey, snapshot: Snapshot) -> None:
        self._require()
        self.kept[key] = snapshot

    def _require(self) -> None:
        if self.is_away:
            raise LogUnavailable("away")
