"""Conformance: projections are exact, resume, and never stall without saying so."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from eventstore.backoff import Backoff
from eventstore.event_log import EventLog, Write
from eventstore.expected_revision import ExpectedRevision
from eventstore.postgres.build_owner import OwnedSchema
from eventstore.projection_progress import ProjectionBehind
from eventstore.projection_runner import ProjectionRunner
from eventstore.testing.example_events import new_events, new_stream
from eventstore.testing.example_projection import Sightings

ANY = ExpectedRevision.ANY
WANTED = "careline.example.v1.Wanted"
SECONDS = 10.0
QUICK = Backoff(first=0.01, longest=0.02)


@dataclass(frozen=True, slots=True)
class ProjectionStore:
    """Where the log under test keeps its builds.

    `engine` may do anything, `runtime` has the runtime role.
    """

    engine: AsyncEngine
    runtime: AsyncEngine
    schema: str
    owner_role: str
    runtime_role: str

    @property
    def owned(self) -> OwnedSchema:
        return OwnedSchema(self.engine, self.schema, self.owner_role, self.runtime_role)


class ProjectionConformance:
    """A projection's rows are its events' effect, once each.

    A subclass gives the fixtures `log` and `projection_store`.
    """

    async def test_rows_are_the_events_once_and_in_order(
        self, log: EventLog, projection_store: ProjectionStore
    ) -> None:
        sightings = await made(projection_store)
        await append(log, 3)
        async with projected(log, projection_store, sightings) as runner:
            await append(log, 700)
            last = await append(log, 2, tenant="other")
            await runner.wait_for(last, SECONDS)

        expected = [event.position async for event in log.read_log()]
        assert await sightings.positions(projection_store.engine) == expected

    async def test_a_failing_page_leaves_no_row_and_is_tried_again(
        self, log: EventLog, projection_store: ProjectionStore
    ) -> None:
        sightings = await made(projection_store)
        sightings.failure = RuntimeError("Jane Doe")
        last = await append(log, 3)
        async with projected(log, projection_store, sightings) as runner:
            with pytest.raises(ProjectionBehind, match="RuntimeError"):
                await runner.wait_for(last, 0.2)

            held = runner.status()
            assert held.stuck is not None
            assert "RuntimeError" in held.stuck
            assert "Jane" not in held.stuck
            assert (held.position, held.head) == (0, last)
            assert held.lag == last
            assert held.lag_seconds > 0
            assert await sightings.positions(projection_store.engine) == []

            sightings.failure = None
            await runner.wait_for(last, SECONDS)
            moving = runner.status()

        assert (moving.stuck, moving.lag, moving.lag_seconds) == (None, 0, 0)
        assert len(await sightings.positions(projection_store.engine)) == 3

    async def test_a_new_runner_goes_on_where_the_last_one_was(
        self, log: EventLog, projection_store: ProjectionStore
    ) -> None:
        sightings = await made(projection_store)
        for _ in range(3):
            last = await append(log, 4)
            async with projected(log, projection_store, sightings) as runner:
                await runner.wait_for(last, SECONDS)
            assert runner.status().stuck == "not running"

        expected = [event.position async for event in log.read_log()]
        assert await sightings.positions(projection_store.engine) == expected

    async def test_runners_at_once_apply_every_event_once(
        self, log: EventLog, rival: EventLog, projection_store: ProjectionStore
    ) -> None:
        sightings = await made(projection_store)
        async with (
            projected(log, projection_store, sightings) as one,
            projected(rival, projection_store, sightings) as two,
        ):
            last = 0
            for _ in range(30):
                last = await append(log, 5)
            await one.wait_for(last, SECONDS)
            await two.wait_for(last, SECONDS)

        expected = [event.position async for event in log.read_log()]
        assert await sightings.positions(projection_store.engine) == expected

    async def test_a_build_of_another_version_is_not_fed(
        self, log: EventLog, projection_store: ProjectionStore
    ) -> None:
        last = await append(log, 3)
        await made(projection_store)
        newer = Sightings(projection_store.schema, version=2)
        async with projected(log, projection_store, newer) as runner:
            with pytest.raises(ProjectionBehind, match="is of version 1, this program's is 2"):
                await runner.wait_for(last, 0.2)

            assert await newer.positions(projection_store.engine) == []

    async def test_a_projection_of_some_types_passes_the_others(
        self, log: EventLog, projection_store: ProjectionStore
    ) -> None:
        sightings = await made(projection_store, types=frozenset({WANTED}))
        wanted = await append(log, 2, kind=WANTED)
        async with projected(log, projection_store, sightings) as runner:
            passed = wanted
            for _ in range(5):
                passed = await append(log, 1)
            await runner.wait_for(passed, SECONDS)
            assert await sightings.positions(projection_store.engine) == [wanted - 1, wanted]
            later = await append(log, 1, kind=WANTED)
            await runner.wait_for(later, SECONDS)

        assert await sightings.positions(projection_store.engine) == [wanted - 1, wanted, later]

    async def test_a_projection_that_does_not_run_says_so(
        self, log: EventLog, projection_store: ProjectionStore
    ) -> None:
        late = datetime.now(UTC) + timedelta(hours=1)
        sightings = await made(projection_store)
        runner = ProjectionRunner(
            log,
            projection_store.engine,
            projection_store.schema,
            sightings,
            clock=lambda: late,
        )
        assert runner.status().stuck == "not running"
        with pytest.raises(ProjectionBehind, match="not running"):
            await runner.wait_for(1, 0.01)

        sightings.failure = RuntimeError()
        last = await append(log, 1)
        async with running(runner):
            with pytest.raises(ProjectionBehind):
                await runner.wait_for(last, 0.2)

        assert 3_500 < runner.status().lag_seconds < 3_700


async def made(
    store: ProjectionStore, *, version: int = 1, types: frozenset[str] | None = None
) -> Sightings:
    sightings = Sightings(store.schema, version=version, types=types)
    await sightings.create(store.owned)
    return sightings


async def append(
    log: EventLog, count: int, *, kind: str = "careline.Other", tenant: str = "demo"
) -> int:
    events = new_events(count, kind)
    return (await log.append(Write(new_stream(tenant), ANY, events))).position


@asynccontextmanager
async def projected(
    log: EventLog, store: ProjectionStore, projection: Sightings
) -> AsyncIterator[ProjectionRunner]:
    runner = ProjectionRunner(log, store.engine, store.schema, projection, backoff=QUICK)
    async with running(runner):
        yield runner


@asynccontextmanager
async def running(runner: ProjectionRunner) -> AsyncIterator[None]:
    task = asyncio.ensure_future(runner.run())
    try:
        yield
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
