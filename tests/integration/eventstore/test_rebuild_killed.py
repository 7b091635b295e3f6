"""A rebuild that is killed anywhere goes on from its position, and comes out equal."""

import asyncio
import os
import sys
from asyncio.subprocess import PIPE, Process
from pathlib import Path

from eventstore.event_log import Write
from eventstore.expected_revision import ExpectedRevision
from eventstore.postgres import PostgresEventLog
from eventstore.postgres.build_owner import BuildOwner
from eventstore.postgres.builds import Build
from eventstore.projection_runner import ProjectionRunner
from eventstore.testing.conformance_projections import QUICK, running
from eventstore.testing.example_events import new_events, new_stream
from eventstore.testing.example_projection import Sightings
from integration.eventstore import rebuilding_child
from integration.eventstore.log_rig import LogSchema

SECONDS = 60.0
APPENDS = 8
EVENTS = 1_000


async def child(schema: LogSchema) -> Process:
    tests = str(Path(rebuilding_child.__file__).parents[2])
    return await asyncio.create_subprocess_exec(
        sys.executable,
        rebuilding_child.__file__,
        schema.superuser.url.render_as_string(hide_password=False),
        schema.name,
        schema.owner_role,
        schema.runtime_role,
        stdout=PIPE,
        env={**os.environ, "PYTHONPATH": tests},
    )


async def lines_until(process: Process, wanted: int) -> int:
    """Read progress until a position is passed; gives the position."""
    assert process.stdout is not None
    async with asyncio.timeout(SECONDS):
        while True:
            words = (await process.stdout.readline()).decode().split()
            assert words, "the rebuild ended before it was killed"
            if words[0] == "replaying" and int(words[1]) >= wanted:
                return int(words[1])


async def new_build(schema: LogSchema) -> Build:
    return (await BuildOwner(schema.owned).all("sightings"))[-1][0]


async def test_it_goes_on_after_each_kill_and_is_equal_in_the_end(
    log: PostgresEventLog, schema: LogSchema
) -> None:
    sightings = Sightings(schema.name)
    await sightings.create(schema.owned)
    last = 0
    for _ in range(APPENDS):
        write = Write(new_stream(), ExpectedRevision.NO_STREAM, new_events(EVENTS))
        last = (await log.append(write)).position
    runner = ProjectionRunner(log, schema.engine, schema.name, sightings, backoff=QUICK)
    reached = 0
    async with running(runner):
        await runner.wait_for(last, SECONDS)
        for wanted in (1_000, 3_000):
            process = await child(schema)
            told = await lines_until(process, wanted)
            process.kill()
            await process.wait()
            build = await new_build(schema)
            assert told <= build.at.position < last
            assert build.number == 2
            reached = build.at.position
        process = await child(schema)
        output, _ = await asyncio.wait_for(process.communicate(), SECONDS)

    lines = output.decode().splitlines()
    assert int(lines[0].split()[1]) == reached
    assert lines[-1] == "verified"
