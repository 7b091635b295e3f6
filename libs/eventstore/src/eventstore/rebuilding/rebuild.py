"""Rebuilds a read model beside the live one, and verifies what came out before it may be used."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace

from sqlalchemy.ext.asyncio import AsyncConnection

from eventstore.errors import EventLogError
from eventstore.postgres.build_owner import BuildOwner
from eventstore.postgres.builds import Build, BuildState
from eventstore.rebuilding.comparison import TableDifference, compare, side_of
from eventstore.rebuilding.replay import ReadModelSource, replay
from eventstore.step_progress import StepProgress

_ROUNDS = 20
_NEAR = 500


class RebuildRefused(EventLogError):
    """The read model was not rebuilt or not switched; the text says why and what to do."""


@dataclass(frozen=True, slots=True)
class Rebuilt:
    """A build and what it was compared with, at `build.at`.

    `differences` decide: to the live build of the same version, else to a second replay. `to_live`
    only shows what a changed version changes.
    """

    build: Build
    against: str
    differences: tuple[TableDifference, ...]
    to_live: tuple[TableDifference, ...] = ()

    @property
    def verified(self) -> bool:
        return all(one.equal for one in self.differences)


class Rebuild:
    """Rebuilds one projection: `owner` makes places and says states, `source` may feed them."""

    def __init__(self, source: ReadModelSource, owner: BuildOwner, progress: StepProgress) -> None:
        self._source = source
        self._owner = owner
        self._progress = progress
        self._projection = source.projection

    async def run(self) -> Rebuilt:
        """Build or go on building, compare, and mark the build ready if it may be switched to.

        Raises RebuildRefused, BuildRefused, Fenced, and whatever the projection raises.
        """
        epoch = (await self._source.log.head()).epoch
        build = await self._begun(BuildState.BUILDING, epoch)
        live = await self._live()
        if (live.version, live.at.epoch) == (self._projection.version, epoch):
            rebuilt = await self._against_live(build)
        else:
            rebuilt = await self._against_second(build)
        if rebuilt.verified:
            await self._owner.mark(rebuilt.build, BuildState.READY)
            return replace(rebuilt, build=replace(rebuilt.build, state=BuildState.READY))
        return rebuilt

    async def _begun(self, state: BuildState, epoch: int) -> Build:
        """Give the build that an earlier run began, or begin one; those of a lost epoch go."""
        resumable = (state, BuildState.READY) if state is BuildState.BUILDING else (state,)
        found = None
        for build, _ in await self._owner.all(self._projection.name):
            if build.state not in resumable:
                continue
            if build.at.epoch != epoch:
                await self._owner.drop(build)
            elif build.version == self._projection.version:
                found = build
        if found is None:
            return await self._owner.make(self._projection, state)
        if found.state is not state:
            await self._owner.mark(found, state)
        return replace(found, state=state)

    async def _against_live(self, build: Build) -> Rebuilt:
        """Compare at one position: where a snapshot of the live build happens to be."""
        for _ in range(_ROUNDS):
            target = (await self._live()).at.position
            if target <= build.at.position + _NEAR:
                break
            build = await self._replay(build, target, "replaying")
        async with self._snapshot() as old:
            # Rows and position of one moment, while the service goes on feeding the live build.
            live = await self._live(old)
            if live.at.position < build.at.position:
                raise RebuildRefused(
                    f"build {build.number} is beyond the live one, so that they cannot be compared:"
                    " drop it and rebuild"
                )
            build = await self._replay(build, live.at.position, "replaying")
            async with self._snapshot() as new:
                return Rebuilt(build, "live", await self._compared(old, live, new, build))

    async def _against_second(self, build: Build) -> Rebuilt:
        """Replay a second time up to the same position; the difference to the live one is shown."""
        head = await self._source.log.head()
        build = await self._replay(build, max(head.position, build.at.position), "replaying")
        second = await self._begun(BuildState.PROOF, head.epoch)
        if second.at.position > build.at.position:
            await self._owner.drop(second)
            second = await self._begun(BuildState.PROOF, head.epoch)
        second = await self._replay(second, build.at.position, "replaying again")
        async with self._snapshot() as old, self._snapshot() as new:
            differences = await self._compared(old, second, new, build)
        async with self._snapshot() as old, self._snapshot() as new:
            to_live = await self._compared(old, await self._live(old), new, build)
        await self._owner.drop(second)
        return Rebuilt(build, "second replay", differences, to_live)

    async def _compared(
        self, old: AsyncConnection, one: Build, new: AsyncConnection, other: Build
    ) -> tuple[TableDifference, ...]:
        self._progress("comparing", 0, 1)
        schema = self._source.schema
        sides = await side_of(old, schema, one.place), await side_of(new, schema, other.place)
        differences = await compare(self._projection, *sides)
        self._progress("comparing", 1, 1)
        return differences

    async def _replay(self, build: Build, until: int, step: str) -> Build:
        return await replay(self._source, build, until, step, self._progress)

    async def _live(self, connection: AsyncConnection | None = None) -> Build:
        if connection is None:
            async with self._source.engine.begin() as own:
                return await self._live(own)
        live = await self._source.builds.live(connection, self._projection.name)
        if live is None:
            raise RebuildRefused(f"{self._projection.name} has no build yet: run careline migrate")
        return live

    @asynccontextmanager
    async def _snapshot(self) -> AsyncIterator[AsyncConnection]:
        """Give a connection whose transaction sees one moment, and all tenants."""
        async with self._source.engine.connect() as connection:
            await connection.execution_options(isolation_level="REPEATABLE READ")
            async with connection.begin():
                await connection.exec_driver_sql("set transaction read only")
                await self._source.builds.enter(connection)
                yield connection
