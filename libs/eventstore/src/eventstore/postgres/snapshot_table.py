"""Snapshots in the log's schema."""

from eventstore.errors import LogUnavailable
from eventstore.postgres.server_errors import SERVER_ERRORS
from eventstore.postgres.sessions import Row, Sessions
from eventstore.snapshots import Snapshot, SnapshotKey


class SnapshotTable:
    """A snapshot store on the log's own reading sessions. Asks once: who fails reads the events."""

    def __init__(self, sessions: Sessions) -> None:
        self._sessions = sessions

    async def read(self, key: SnapshotKey) -> Snapshot | None:
        rows = await self._ask("read_snapshot", *_columns(key))
        if not rows:
            return None
        (row,) = rows
        return Snapshot(row["state"], row["revision"], row["position"], row["digest"])

    async def write(self, key: SnapshotKey, snapshot: Snapshot) -> None:
        await self._ask(
            "write_snapshot",
            *_columns(key),
            snapshot.revision,
            snapshot.position,
            snapshot.state,
            snapshot.digest,
        )

    async def _ask(self, statement: str, *arguments: object) -> list[Row]:
        try:
            async with self._sessions.use() as session:
                return await session.fetch(statement, *arguments)
        except SERVER_ERRORS as error:
            raise LogUnavailable("the log's server gave or took no snapshot") from error


def _columns(key: SnapshotKey) -> tuple[object, ...]:
    stream = key.stream
    return stream.key, stream.tenant, stream.name, key.decider, key.code_version
