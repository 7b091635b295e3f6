"""Conformance: read models are rebuilt beside the live one, verified, and switched under load."""

import asyncio
import itertools
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Sequence
from contextlib import asynccontextmanager
from datetime import timedelta
from importlib.resources import files
from typing import TypeVar

import pytest
from sqlalchemy import BigInteger, Column, MetaData, Table, Text, text
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from eventstore.event import RecordedEvent
from eventstore.event_log import EventLog
from eventstore.postgres.build_owner import BuildOwner, BuildRefused
from eventstore.postgres.builds import Build, BuildState
from eventstore.projection import ReadModel
from eventstore.projection_runner import ProjectionRunner
from eventstore.rebuilding.rebuild import Rebuild, RebuildRefused, Rebuilt
from eventstore.rebuilding.replay import ReadModelSource
from eventstore.rebuilding.scratch import scratch
from eventstore.rebuilding.switch import switch
from eventstore.testing.conformance_projections import (
    QUICK,
    SECONDS,
    ProjectionStore,
    append,
    made,
    running,
)
from eventstore.testing.example_projection import Sightings

ResultT = TypeVar("ResultT")


class Forgetful(Sightings):
    """Of the same version as another one, and yet it writes other rows: a changed program."""

    def row(self, event: RecordedEvent) -> dict[str, object]:
        return {**super().row(event), "position": -event.position}


class Unsteady(Sightings):
    """Writes what no event says, so that no two replays are alike, as a look at the clock does."""

    ticks = itertools.count()

    def row(self, event: RecordedEvent) -> dict[str, object]:
        return {**super().row(event), "position": next(self.ticks)}


class Fuller(Sightings):
    """The second version, with a column and a table that the first does not have."""

    def __init__(self, schema: str) -> None:
        super().__init__(schema, version=2)
        tables = MetaData(schema=schema)
        columns = [Column(one.name, one.type) for one in self._table.columns]
        self._table = Table("sighting", tables, *columns, Column("revision", BigInteger))
        self._tally = Table(
            "tally", tables, Column("tenant", Text, primary_key=True), Column("events", BigInteger)
        )
        self.model = ReadModel(
            files("eventstore.testing") / "example_projection_2.sql", (self._table, self._tally)
        )

    def row(self, event: RecordedEvent) -> dict[str, object]:
        return {**super().row(event), "revision": event.revision}

    async def apply(self, connection: AsyncConnection, events: Sequence[RecordedEvent]) -> None:
        await super().apply(connection, events)
        counted = insert(self._tally)
        counts = Counter(event.stream.tenant for event in events)
        await connection.execute(
            counted.on_conflict_do_update(
                index_elements=["tenant"],
                set_={"events": self._tally.c.events + counted.excluded.events},
            ),
            [{"tenant": tenant, "events": events} for tenant, events in counts.items()],
        )


class Breaking(Sightings):
    """Breaks off after some pages."""

    pages = 2

    async def apply(self, connection: AsyncConnection, events: Sequence[RecordedEvent]) -> None:
        if self.pages == 0:
            raise ConnectionAbortedError
        self.pages -= 1
        await super().apply(connection, events)


class BuildConformance:
    """A subclass gives the fixtures `log` and `projection_store`."""

    async def test_the_same_version_comes_out_equal_and_is_switched_to(
        self, log: EventLog, projection_store: ProjectionStore
    ) -> None:
        sightings = await made(projection_store)
        await append(log, 700)
        last = await append(log, 700, tenant="other")
        async with fed(log, projection_store, sightings) as runner:
            await runner.wait_for(last, SECONDS)
            rebuilt = await rebuild(log, projection_store, sightings)
            assert rebuilt.against == "live"
            assert [(one.old_rows, one.new_rows) for one in rebuilt.differences] == [(1400, 1400)]
            assert (rebuilt.verified, rebuilt.build.state) == (True, BuildState.READY)
            await switched(log, projection_store, sightings)
            assert await states(projection_store) == {1: BuildState.KEPT, 2: BuildState.LIVE}
            last = await append(log, 3)
            await runner.wait_for(last, SECONDS)

        assert await sightings.positions(projection_store.engine) == await positions(log)

    async def test_a_program_that_writes_other_rows_under_the_same_version_is_told(
        self, log: EventLog, projection_store: ProjectionStore
    ) -> None:
        sightings = await made(projection_store)
        last = await append(log, 5)
        async with fed(log, projection_store, sightings) as runner:
            await runner.wait_for(last, SECONDS)
            changed = Forgetful(projection_store.schema)
            rebuilt = await rebuild(log, projection_store, changed)

            (sighting,) = rebuilt.differences
            assert not rebuilt.verified
            assert (sighting.table, sighting.only_old, sighting.only_new) == ("sighting", 5, 5)
            assert (await states(projection_store))[2] is BuildState.BUILDING
            with pytest.raises(RebuildRefused, match="no build that is ready"):
                await switched(log, projection_store, changed)
            with pytest.raises(RebuildRefused, match="is building"):
                await switched(log, projection_store, changed, number=2)

        assert await sightings.positions(projection_store.engine) == await positions(log)

    async def test_a_row_that_was_altered_is_found(
        self, log: EventLog, projection_store: ProjectionStore
    ) -> None:
        sightings = await made(projection_store)
        last = await append(log, 5)
        async with fed(log, projection_store, sightings) as runner:
            await runner.wait_for(last, SECONDS)
            async with projection_store.engine.begin() as connection:
                await connection.execute(
                    text(
                        f"update {projection_store.schema}.sighting set tenant = 'else' "  # noqa: S608
                        f"where position = {last}"
                    )
                )
            (sighting,) = (await rebuild(log, projection_store, sightings)).differences

        assert (sighting.equal, sighting.only_old, sighting.only_new) == (False, 1, 1)

    async def test_a_changed_version_equals_its_second_replay_and_shows_its_difference(
        self, log: EventLog, projection_store: ProjectionStore
    ) -> None:
        sightings = await made(projection_store)
        last = await append(log, 5)
        async with fed(log, projection_store, sightings) as runner:
            await runner.wait_for(last, SECONDS)
        changed = Forgetful(projection_store.schema, version=2)
        rebuilt = await rebuild(log, projection_store, changed)

        assert (rebuilt.against, rebuilt.verified) == ("second replay", True)
        assert [(one.only_old, one.only_new) for one in rebuilt.to_live] == [(5, 5)]
        await switched(log, projection_store, changed)
        assert await states(projection_store) == {1: BuildState.KEPT, 2: BuildState.LIVE}
        shown = await changed.positions(projection_store.engine)
        assert sorted(-one for one in shown) == await positions(log)
        with pytest.raises(RebuildRefused, match="switch with the program that feeds it"):
            await switched(log, projection_store, changed, number=1)
        assert (await switched(log, projection_store, sightings, number=1)).number == 1

    async def test_a_version_of_other_tables_is_shown_with_them_and_taken_back(
        self, log: EventLog, projection_store: ProjectionStore
    ) -> None:
        sightings = await made(projection_store)
        await append(log, 700)
        last = await append(log, 700)
        async with fed(log, projection_store, sightings) as runner:
            await runner.wait_for(last, SECONDS)
        fuller = Fuller(projection_store.schema)
        rebuilt = await rebuild(log, projection_store, fuller)
        assert rebuilt.verified, rebuilt.differences
        shared = {one.table: (one.only_old, one.only_new, one.changed) for one in rebuilt.to_live}
        assert shared == {"sighting": (0, 0, 0), "tally": (0, 1, 0)}

        await switched(log, projection_store, fuller)
        async with fed(log, projection_store, fuller) as runner:
            await runner.wait_for(await append(log, 1), SECONDS)
        shown = f"select sum(revision), (select events from {projection_store.schema}.tally)"  # noqa: S608
        async with projection_store.runtime.begin() as connection:
            await connection.execute(text("select set_config('careline.tenant', 'demo', true)"))
            query = text(f"{shown} from {projection_store.schema}.sighting")
            assert (await connection.execute(query)).one() == (699 * 700, 1_401)

        await switched(log, projection_store, sightings, number=1)
        assert await sightings.positions(projection_store.engine) == await positions(log)
        async with projection_store.engine.connect() as connection:
            tally = text(f"select to_regclass('{projection_store.schema}.tally')")
            assert await connection.scalar(tally) is None

    async def test_a_stuck_live_build_is_compared_where_it_is_stuck(
        self, log: EventLog, projection_store: ProjectionStore
    ) -> None:
        sightings = await made(projection_store)
        stuck_at = await append(log, 5)
        async with fed(log, projection_store, sightings) as runner:
            await runner.wait_for(stuck_at, SECONDS)
        last = await append(log, 5)
        rebuilt = await rebuild(log, projection_store, sightings)
        assert (rebuilt.verified, rebuilt.build.at.position) == (True, stuck_at)
        await switched(log, projection_store, sightings)
        async with fed(log, projection_store, sightings) as runner:
            await runner.wait_for(last, SECONDS)

        assert await sightings.positions(projection_store.engine) == await positions(log)

    async def test_a_changed_version_whose_replays_differ_is_refused(
        self, log: EventLog, projection_store: ProjectionStore
    ) -> None:
        await made(projection_store)
        await append(log, 5)
        changed = Unsteady(projection_store.schema, version=2)
        rebuilt = await rebuild(log, projection_store, changed)

        assert not rebuilt.verified
        with pytest.raises(RebuildRefused, match="is building"):
            await switched(log, projection_store, changed, number=2)

    async def test_a_rebuild_that_was_broken_off_goes_on_where_it_was(
        self, log: EventLog, projection_store: ProjectionStore
    ) -> None:
        sightings = await made(projection_store)
        await append(log, 900)
        last = await append(log, 600)
        async with fed(log, projection_store, sightings) as runner:
            await runner.wait_for(last, SECONDS)
            with pytest.raises(ConnectionAbortedError):
                await rebuild(log, projection_store, Breaking(projection_store.schema))
            broken = (await builds(projection_store))[-1]
            assert 0 < broken.at.position < last
            steps: list[int] = []
            rebuilt = await rebuild(log, projection_store, sightings, steps)

        assert steps[0] == broken.at.position
        assert (rebuilt.build.number, rebuilt.verified) == (broken.number, True)

    async def test_readers_miss_nothing_while_it_is_rebuilt_and_switched_there_and_back(
        self, log: EventLog, projection_store: ProjectionStore
    ) -> None:
        sightings = await made(projection_store)
        first = await append(log, 600)
        async with fed(log, projection_store, sightings) as runner:
            await runner.wait_for(first, SECONDS)
            async with load(log) as appended, readers(projection_store) as counts:
                await rebuild(log, projection_store, sightings)
                for number in (2, 1, 2, 1, 2):
                    await switched(log, projection_store, sightings, number=number)
                    await runner.wait_for(appended[-1], SECONDS)
            await runner.wait_for(await append(log, 1), SECONDS)

        assert all(len(seen) > 5 for seen in counts)
        assert all(seen == sorted(seen) and seen[0] >= 600 for seen in counts)
        assert await sightings.positions(projection_store.engine) == await positions(log)

    async def test_a_view_shows_no_rows_of_another_tenant(
        self, log: EventLog, projection_store: ProjectionStore
    ) -> None:
        sightings = await made(projection_store)
        await append(log, 2, tenant="ours")
        last = await append(log, 3, tenant="theirs")
        async with fed(log, projection_store, sightings) as runner:
            await runner.wait_for(last, SECONDS)
            await rebuild(log, projection_store, sightings)
            await switched(log, projection_store, sightings)

        assert await seen_by(projection_store.runtime, projection_store, "ours") == 2
        assert await seen_by(projection_store.runtime, projection_store, "theirs") == 3
        assert await seen_by(projection_store.runtime, projection_store, "nobody") == 0

    async def test_the_runtime_role_can_neither_switch_nor_drop_nor_say_what_a_build_is(
        self, projection_store: ProjectionStore
    ) -> None:
        await made(projection_store)
        schema = projection_store.schema
        for statement in (
            f"select {schema}.switch_projection('sightings', 1)",
            f"drop schema {schema}_sightings_b1 cascade",
            f"update {schema}.projection_build set state = 'kept'",  # noqa: S608
            f"delete from {schema}.projection_build",  # noqa: S608
            f"create or replace view {schema}.sighting as select 1",
        ):
            async with projection_store.runtime.connect() as connection:
                with pytest.raises(DBAPIError, match=r"permission denied|must be owner"):
                    await connection.execute(text(statement))

    async def test_up_to_a_point_it_is_as_it_was_and_can_never_be_switched_to(
        self, log: EventLog, projection_store: ProjectionStore
    ) -> None:
        sightings = await made(projection_store)
        point = await append(log, 700)
        await append(log, 5)
        source, owner = parts(log, projection_store, sightings)
        build = await scratch(source, owner, point, ignored)
        again = await scratch(source, owner, point, ignored)

        assert (again.number, build.until, build.at.position) == (build.number, point, point)
        expected = [one for one in await positions(log) if one <= point]
        async with projection_store.engine.connect() as connection:
            query = text(f"select position from {build.place}.sighting order by 1")  # noqa: S608
            assert list(await connection.scalars(query)) == expected
        with pytest.raises(RebuildRefused, match="is scratch"):
            await switched(log, projection_store, sightings, number=build.number)
        with pytest.raises(RebuildRefused, match="the log ends at"):
            await scratch(source, owner, point + 1_000, ignored)

    async def test_a_time_is_the_last_position_that_was_recorded_until_then(
        self, log: EventLog, projection_store: ProjectionStore
    ) -> None:
        sightings = await made(projection_store)
        point = await append(log, 3)
        (last,) = [event async for event in log.read_log(after=point - 1)]
        await append(log, 3)
        source, owner = parts(log, projection_store, sightings)
        build = await scratch(source, owner, last.recorded_at, ignored)
        before = await scratch(source, owner, last.recorded_at - timedelta(days=1), ignored)

        assert (build.at.position, before.at.position) == (point, 0)

    async def test_a_build_of_a_log_that_was_restored_since_is_mended_by_a_rebuild(
        self, log: EventLog, projection_store: ProjectionStore
    ) -> None:
        sightings = await made(projection_store)
        await append(log, 5)
        async with projection_store.engine.begin() as connection:
            await connection.execute(
                text(f"update {projection_store.schema}.log_state set epoch = epoch + 1")  # noqa: S608
            )
        rebuilt = await rebuild(log, projection_store, sightings)
        assert (rebuilt.against, rebuilt.verified) == ("second replay", True)
        await switched(log, projection_store, sightings)
        async with fed(log, projection_store, sightings) as runner:
            await runner.wait_for(await append(log, 1), SECONDS)

        assert await sightings.positions(projection_store.engine) == await positions(log)
        with pytest.raises(RebuildRefused, match="before a restore"):
            await switched(log, projection_store, sightings, number=1)

    async def test_a_build_is_dropped_with_its_tables_but_never_the_live_one(
        self, log: EventLog, projection_store: ProjectionStore
    ) -> None:
        sightings = await made(projection_store)
        source, owner = parts(log, projection_store, sightings)
        build = await scratch(source, owner, await append(log, 3), ignored)
        live, _ = await builds(projection_store)
        with pytest.raises(BuildRefused, match="is live"):
            await owner.drop(live)
        await owner.drop(build)

        assert await states(projection_store) == {1: BuildState.LIVE}
        async with projection_store.engine.connect() as connection:
            gone = await connection.scalar(text(f"select to_regnamespace('{build.place}') is null"))
        assert gone is True


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
    log: EventLog, store: ProjectionStore, projection: Sightings
) -> AsyncIterator[ProjectionRunner]:
    """Run the service's own runner, with the runtime role's rights."""
    runner = ProjectionRunner(log, store.runtime, store.schema, projection, backoff=QUICK)
    async with running(runner):
        yield runner


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
