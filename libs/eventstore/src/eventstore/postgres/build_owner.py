"""Makes, switches and drops builds of projections, with the rights of their schema's owner."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from eventstore.errors import EventLogError
from eventstore.event_log import Head
from eventstore.postgres.build_script import build_script
from eventstore.postgres.builds import Build, Builds, BuildState, build_of
from eventstore.postgres.statements import identifier, load_statements
from eventstore.projection import Built

_LOCK_SECONDS = 5
_REFUSED = {
    "CL001": "only a build that was verified, or was live before, can be switched to",
    "CL002": "the build is behind the live one, or of the log as it was before a restore",
    "55P03": "a query or an update of the read model lasts too long; try again",
}


class BuildRefused(EventLogError):
    """What was asked is not done to this build; the text says why."""


@dataclass(frozen=True, slots=True)
class OwnedSchema:
    """A log's schema, who owns it, and who uses it; the engine's login is a member of the owner."""

    engine: AsyncEngine
    name: str
    owner_role: str
    runtime_role: str


class BuildOwner:
    """Each method is one transaction."""

    def __init__(self, schema: OwnedSchema) -> None:
        identifier(schema.owner_role)
        self._schema = schema
        self._builds = Builds(schema.name)
        self._statements = load_statements(schema.name)

    async def all(self, projection: str | None = None) -> list[tuple[Build, int]]:
        """Give each build of a projection, or of all, with its size in bytes; the oldest first."""
        async with self._owning() as connection:
            return await self._builds.all(connection, projection)

    async def head(self) -> Head:
        """Tell how far the log is complete, and its epoch."""
        async with self._owning() as connection:
            row = (await connection.exec_driver_sql(self._statements["head"])).one()
            return Head(epoch=row.epoch, position=row.position)

    async def make(
        self, projection: Built, state: BuildState, *, until: int | None = None
    ) -> Build:
        """Begin a build at the start of the log."""
        name = projection.name
        async with self._owning() as connection:
            number = await self._one(connection, "next_build", name)
            script = build_script(
                self._schema.name,
                self._schema.runtime_role,
                projection,
                number=number,
                state=state,
                until=until,
            )
            # A prepared statement holds one statement only.
            raw: Any = (await connection.get_raw_connection()).driver_connection
            await raw.execute(script)
            return next(
                one for one, _ in await self._builds.all(connection, name) if one.number == number
            )

    async def mark(self, build: Build, state: BuildState) -> None:
        """Say what a build is that is not live."""
        async with self._owning() as connection:
            await self._one(connection, "mark_build", build.projection, build.number, state)

    async def drop(self, build: Build) -> None:
        """Drop a build that is not live, with its tables; raises BuildRefused for the live one."""
        async with self._owning() as connection:
            found = await connection.exec_driver_sql(
                self._statements["forget_build"], (build.projection, build.number)
            )
            place = found.scalar_one_or_none()
            if place is None:
                raise BuildRefused(f"build {build.number} of {build.projection} is live, or gone")
            await connection.execute(text(f"drop schema {identifier(place)} cascade"))

    @asynccontextmanager
    async def switching(self, projection: str) -> AsyncIterator["Switch"]:
        """Hold the live build still, so that another one can be brought to where it is.

        Nothing is changed unless the context ends well. Raises BuildRefused.
        """
        try:
            async with self._owning() as connection:
                found = await connection.exec_driver_sql(
                    self._statements["lock_live_build"], (projection,)
                )
                row = found.one_or_none()
                yield Switch(connection, self._statements, None if row is None else build_of(row))
        except DBAPIError as error:
            reason = _REFUSED.get(str(getattr(error.orig, "sqlstate", "")))
            if reason is None:
                raise
            raise BuildRefused(reason) from None

    async def _one(self, connection: AsyncConnection, name: str, *arguments: object) -> Any:  # noqa: ANN401
        found = await connection.exec_driver_sql(self._statements[name], arguments)
        return found.scalar_one()

    @asynccontextmanager
    async def _owning(self) -> AsyncIterator[AsyncConnection]:
        async with self._schema.engine.begin() as connection:
            await connection.run_sync(_become, self._schema.owner_role)
            yield connection


class Switch:
    """One switch under way; `live` stands still meanwhile."""

    def __init__(
        self, connection: AsyncConnection, statements: Mapping[str, str], live: Build | None
    ) -> None:
        self._connection = connection
        self._statements = statements
        self.live = live

    async def to(self, build: Build) -> None:
        """Make the build the live one, by one statement."""
        await self._connection.exec_driver_sql(
            self._statements["switch_build"], (build.projection, build.number)
        )


def _become(connection: Connection, owner_role: str) -> None:
    connection.execute(text(f"set local role {identifier(owner_role)}"))
    connection.execute(text(f"set local lock_timeout = '{_LOCK_SECONDS}s'"))
    connection.execute(text("select set_config('careline.tenant', '*', true)"))
