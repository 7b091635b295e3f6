"""What the conformance of builds does with them, a line each."""

import asyncio
from collections.abc import AsyncIterator, Awaitable
from contextlib import asynccontextmanager
from typing import TypeVar

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from eventstore.event_log import EventLog
from eventstore.postgres.build_owner import BuildOwner
from eventstore.postgres.builds import Build, BuildState
from eventstore.projection_runner import ProjectionRunner
from eventstore.rebuilding.rebuild import Rebuild, Rebuilt
from eventstore.rebuilding.replay import ReadModelSource
from eventstore.rebuilding.switch import switch
from eventstore.testing.conformance_projections import (
    QUICK,
    SECONDS,
    ProjectionStore,
    append,
    running,
)
from eventstore.testing.example_projection import Sightings

ResultT = TypeVar("ResultT")


def ignored(_step: str, _done: int, _total: int) -> None:
    """Take no note of progress."""


def parts(
    log: EventLog, store: ProjectionStore, projection: Sightings
) -> tuple[ReadModelSource, BuildOwner]:
    source = ReadModelSource(log, store.runtime, store.schema, projection)
    return source, BuildOwner(store.owned)


async def rebuild(
    log: EventLog, store: ProjectionStore, projection: Sightings, steps: list[int] | None = None
) -> Rebuilt:
    source, owner = parts(log, store, projection)
    noted = [] if steps is None else steps
    return await Rebuild(source, owner, lambda _, done, __: noted.append(done)).run()


async def switched(
    log: EventLog, store: ProjectionStore, projection: Sightings, number: int | None = None
) -> Build:
    return await switch(*parts(log, store, projection), number, ignored)


async def builds(store: ProjectionStore) -> list[Build]:
    return [build for build, _ in await BuildOwner(store.owned).all("sightings")]


async def states(store: ProjectionStore) -> dict[int, BuildState]:
    return {build.number: build.state for build in await builds(store)}


async def positions(log: EventLog) -> list[int]:
    return [event.position async for event in log.read_log()]


@asynccontextmanager
async def fed(
    log: EventLog, store: ProjectionStore, projection: Sightings, *, until: int
) -> AsyncIterator[ProjectionRunner]:
    """Run the service's own runner, with the runtime role's rights; on entry it is that far."""
    runner = ProjectionRunner(log, store.runtime, store.schema, projection, backoff=QUICK)
    async with running(runner):
        await runner.wait_for(until, SECONDS)
        yield runner


async def feed(log: EventLog, store: ProjectionStore, projection: Sightings, *, until: int) -> None:
    """Have the service's own runner come that far, and end it."""
    async with fed(log, store, projection, until=until):
        pass


@asynccontextmanager
async def beside(*works: Awaitable[ResultT]) -> AsyncIterator[None]:
    """Run works that never end; one that failed fails the context."""
    tasks = [asyncio.ensure_future(work) for work in works]
    try:
        yield
    finally:
        for task in tasks:
            task.cancel()
        outcomes = await asyncio.gather(*tasks, return_exceptions=True)
    assert all(isinstance(one, asyncio.CancelledError) for one in outcomes), outcomes


@asynccontextmanager
async def load(log: EventLog) -> AsyncIterator[list[int]]:
    """Append without end; gives the positions so far."""
    appended = [(await log.head()).position]

    async def write() -> None:
        while True:
            appended.append(await append(log, 2))

    async with beside(write()):
        yield appended


@asynccontextmanager
async def readers(store: ProjectionStore) -> AsyncIterator[list[list[int]]]:
    """Count the tenant's rows without end, as services read: gives each reader's counts."""
    counts: list[list[int]] = [[], []]

    async def read(seen: list[int]) -> None:
        while True:
            seen.append(await seen_by(store.runtime, store, "demo"))

    async with beside(*map(read, counts)):
        yield counts


async def seen_by(engine: AsyncEngine, store: ProjectionStore, tenant: str) -> int:
    async with engine.begin() as connection:
        await connection.execute(
            text("select set_config('careline.tenant', :tenant, true)"), {"tenant": tenant}
        )
        query = text(f"select count(*) from {store.schema}.sighting")  # noqa: S608
        count: int = (await connection.execute(query)).scalar_one()
        return count
