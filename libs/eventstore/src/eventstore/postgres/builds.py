"""The builds of projections, as who feeds and reads them may see and move them."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from sqlalchemy import Row
from sqlalchemy.ext.asyncio import AsyncConnection

from eventstore.event_log import Head
from eventstore.postgres.statements import load_statements


class BuildState(StrEnum):
    """What a build is good for; migration 0001 says it in full."""

    BUILDING = "building"
    PROOF = "proof"
    READY = "ready"
    LIVE = "live"
    KEPT = "kept"
    SCRATCH = "scratch"


@dataclass(frozen=True, slots=True)
class Build:
    """One build of a projection: its tables are in the schema `place`, and hold the log up to `at`.

    `until` is the last position that a scratch build takes.
    """

    projection: str
    number: int
    version: int
    place: str
    state: BuildState
    until: int | None
    at: Head


class Builds:
    """Read and moved in the transaction of the rows that they vouch for."""

    def __init__(self, schema: str) -> None:
        self._statements = load_statements(schema)
        self.schema = schema

    async def enter(self, connection: AsyncConnection) -> None:
        """Let the transaction see all tenants' rows."""
        await connection.exec_driver_sql(self._statements["enter_transaction"])

    async def live(self, connection: AsyncConnection, projection: str) -> Build | None:
        """Give the build that is read; None before the service's migration."""
        found = await connection.exec_driver_sql(self._statements["live_build"], (projection,))
        row = found.one_or_none()
        return None if row is None else build_of(row)

    async def all(
        self, connection: AsyncConnection, projection: str | None = None
    ) -> list[tuple[Build, int]]:
        """Give each build of a projection, or of all, with its size in bytes; the oldest first."""
        found = await connection.exec_driver_sql(self._statements["list_builds"], (projection,))
        return [(build_of(row), row.size) for row in found]

    async def move(self, connection: AsyncConnection, build: Build, old: Head, to: int) -> bool:
        """Whether it was still at `old` and as live as it was; it is moved then, and locked."""
        moved = await connection.exec_driver_sql(
            self._statements["move_build"],
            (
                build.projection,
                build.number,
                old.epoch,
                old.position,
                to,
                build.state is BuildState.LIVE,
            ),
        )
        return moved.first() is not None


def build_of(row: Row[Any]) -> Build:
    """Read a row of the table `projection_build`."""
    return Build(
        row.projection,
        row.build,
        row.version,
        row.place,
        BuildState(row.state),
        row.until,
        Head(epoch=row.epoch, position=row.position),
    )
