"""Conformance: read models are rebuilt beside the live one, verified, and switched under load."""

from datetime import timedelta

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from eventstore.event_log import EventLog
from eventstore.postgres.build_owner import BuildRefused
from eventstore.postgres.builds import BuildState
from eventstore.rebuilding.rebuild import RebuildRefused
from eventstore.rebuilding.scratch import scratch
from eventstore.testing.build_steps import (
    builds,
    fed,
    feed,
    ignored,
    load,
    parts,
    positions,
    readers,
    rebuild,
    seen_by,
    states,
    switched,
)
from eventstore.testing.changed_projections import Breaking, Forgetful, Fuller, Unsteady
from eventstore.testing.conformance_projections import (
    SECONDS,
    ProjectionStore,
    append,
    made,
)


class BuildConformance:
    """A subclass gives the fixtures `log` and `projection_store`."""

    async def test_the_same_version_comes_out_equal_and_is_switched_to(
        self, log: EventLog, projection_store: ProjectionStore
    ) -> None:
        sightings = await made(projection_store)
        await append(log, 700)
        last = await append(log, 700, tenant="other")
        async with fed(log, projection_store, sightings, until=last) as runner:
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
        async with fed(log, projection_store, sightings, until=last):
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
        async with fed(log, projection_store, sightings, until=last):
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
        await feed(log, projection_store, sightings, until=last)
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
        await feed(log, projection_store, sightings, until=last)
        fuller = Fuller(projection_store.schema)
        rebuilt = await rebuild(log, projection_store, fuller)
        assert rebuilt.verified, rebuilt.differences
        shared = {one.table: (one.only_old, one.only_new, one.changed) for one in rebuilt.to_live}
        assert shared == {"sighting": (0, 0, 0), "tally": (0, 1, 0)}

        await switched(log, projection_store, fuller)
        await feed(log, projection_store, fuller, until=await append(log, 1))
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
        await feed(log, projection_store, sightings, until=stuck_at)
        last = await append(log, 5)
        rebuilt = await rebuild(log, projection_store, sightings)
        assert (rebuilt.verified, rebuilt.build.at.position) == (True, stuck_at)
        await switched(log, projection_store, sightings)
        await feed(log, projection_store, sightings, until=last)

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
        async with fed(log, projection_store, sightings, until=last):
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
        async with fed(log, projection_store, sightings, until=first) as runner:
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
        async with fed(log, projection_store, sightings, until=last):
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
        await feed(log, projection_store, sightings, until=await append(log, 1))

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
