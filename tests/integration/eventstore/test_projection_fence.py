"""A projection on PostgreSQL under restores, lost servers and its own row security."""

import asyncio

import pytest
from eventstore.event_log import Write
from eventstore.expected_revision import ExpectedRevision
from eventstore.postgres import PostgresEventLog
from eventstore.projection_progress import ProjectionBehind
from eventstore.projection_runner import ProjectionRunner
from eventstore.testing.conformance_projections import QUICK, SECONDS, running
from eventstore.testing.example_events import new_events, new_stream
from eventstore.testing.example_projection import Sightings
from integration.eventstore.log_rig import LogSchema

ANY = ExpectedRevision.ANY


@pytest.fixture
async def sightings(schema: LogSchema) -> Sightings:
    sightings = Sightings(schema.name)
    await sightings.create(schema.owned)
    return sightings


@pytest.fixture
def runner(log: PostgresEventLog, schema: LogSchema, sightings: Sightings) -> ProjectionRunner:
    return ProjectionRunner(log, schema.engine, schema.name, sightings, backoff=QUICK)


async def append(log: PostgresEventLog, tenant: str = "ours") -> int:
    return (await log.append(Write(new_stream(tenant), ANY, new_events(2)))).position


async def test_the_runtime_role_is_enough_and_rows_of_all_tenants_are_written(
    log: PostgresEventLog, schema: LogSchema, sightings: Sightings, runner: ProjectionRunner
) -> None:
    await append(log, "ours")
    last = await append(log, "theirs")
    async with running(runner):
        await runner.wait_for(last, SECONDS)

    assert len(await sightings.positions(schema.superuser)) == 4
    assert await sightings.positions(schema.engine) == []


async def test_a_restored_log_stops_the_projection_and_says_what_to_do(
    log: PostgresEventLog, schema: LogSchema, sightings: Sightings, runner: ProjectionRunner
) -> None:
    async with running(runner):
        before = await append(log)
        await runner.wait_for(before, SECONDS)
        await schema.alter("update {schema}.log_state set epoch = 2")
        after = await append(log)
        with pytest.raises(ProjectionBehind, match="rebuild"):
            await runner.wait_for(after, 0.5)

        stuck = runner.status().stuck
    assert stuck is not None
    assert "restored" in stuck
    assert len(await sightings.positions(schema.superuser)) == 2


async def test_a_restore_while_a_page_is_applied_undoes_the_page(
    log: PostgresEventLog,
    schema: LogSchema,
    sightings: Sightings,
    runner: ProjectionRunner,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    applying, restored = asyncio.Event(), asyncio.Event()
    move = runner._builds.move

    async def move_late(*arguments: object) -> bool:
        applying.set()
        await restored.wait()
        return await move(*arguments)  # type: ignore[arg-type] # handed on as they came

    monkeypatch.setattr(runner._builds, "move", move_late)
    async with running(runner):
        last = await append(log)
        await applying.wait()
        await schema.alter("update {schema}.log_state set epoch = 2")
        restored.set()
        with pytest.raises(ProjectionBehind):
            await runner.wait_for(last, 0.5)

    assert await sightings.positions(schema.superuser) == []


async def test_a_position_moved_by_another_is_not_moved_back(
    log: PostgresEventLog, schema: LogSchema, sightings: Sightings, runner: ProjectionRunner
) -> None:
    async with running(runner):
        first = await append(log)
        await runner.wait_for(first, SECONDS)
        await schema.alter("update {schema}.projection_build set position = position + 2")
        assert await append(log) == first + 2
        last = await append(log)
        await runner.wait_for(last, SECONDS)

    assert await sightings.positions(schema.superuser) == [first - 1, first, last - 1, last]


async def test_a_projection_goes_on_after_its_connections_were_ended(
    log: PostgresEventLog, schema: LogSchema, sightings: Sightings, runner: ProjectionRunner
) -> None:
    async with running(runner):
        for _ in range(10):
            last = await append(log)
            await schema.end_connections()
            await runner.wait_for(last, SECONDS)

    expected = [event.position async for event in log.read_log()]
    assert await sightings.positions(schema.superuser) == expected
