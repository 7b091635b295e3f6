"""Plays one disaster from the start of a platform to the verdict."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from careline_cli.console import Say
from careline_cli.drill.copies import Copies, open_copies
from careline_cli.drill.journals import Journals
from careline_cli.drill.load import Load, start_load
from careline_cli.drill.own_log import CONVERSATIONS, PATIENT_CONTEXT
from careline_cli.drill.platform_commands import PlatformCommands, within
from careline_cli.drill.preload import Preloaded, preload
from careline_cli.drill.reading import digest_up_to, read_logs
from careline_cli.drill.report import Report
from careline_cli.drill.scenario import Scenario
from careline_cli.drill.service_calls import ServiceCalls
from careline_cli.drill.stage import Stage, Struck
from careline_cli.drill.stream_equality import streams_that_differ
from careline_cli.drill.verdict import Afterwards, Kill, judge
from careline_cli.platform.data_directory import DataDirectory

_CAUGHT_UP_SECONDS: Final = 1_800.0
_SHOWN_EVERY_SECONDS: Final = 10.0


@dataclass(frozen=True, slots=True)
class Plan:
    """Appends a second at the kill, seconds of load before it, events preloaded before that."""

    rate: float
    seconds: float
    events: int


async def rehearse(scenario: Scenario, plan: Plan, folder: Path, say: Say) -> Report:
    """Run a platform below `folder`, let the disaster happen, recover, and compare.

    Raises CommandError when a step fails: then there is no verdict, and the drill failed.
    """
    data = DataDirectory.alone(folder / "data")  # its backups, too
    commands = PlatformCommands(data.root, say)
    try:
        await commands.run("up", "--detach")
        return await _rehearse(scenario, plan, folder, data, commands, say)
    finally:
        code, _, said = await commands.attempt("down")
        if code:
            say(f"the platform did not stop: {said}")


async def _rehearse(
    scenario: Scenario,
    plan: Plan,
    folder: Path,
    data: DataDirectory,
    commands: PlatformCommands,
    say: Say,
) -> Report:
    preloaded = await _preloaded(plan, folder, data, commands, say)
    public_keys = folder / "archive-keys.json"
    public_keys.write_text(await commands.run("archive", "keys"))
    calls = ServiceCalls(data)
    await calls.prepare()
    async with _loaded(data, folder, plan, say) as load:
        async with open_copies(data) as copies:
            stage = Stage(data, commands, calls, copies, load, plan.rate, public_keys, say)
            struck = await _struck(scenario, stage, plan)
        kill = Kill(struck.at, time.time() - (time.monotonic() - struck.at), plan.rate)
        # What is in flight ends by itself, beside the recovery that nobody would hold back for it.
        load.announce_end()
        say(f"{scenario.name}: recovering")
        await scenario.recover(stage, struck)
        await stage.answers()
    journals = load.journals()
    await _replicates(stage, struck, journals)
    afterwards = await _afterwards(stage, folder, journals, preloaded)
    verdict = judge(journals, kill, struck.promise, afterwards)
    return Report(
        scenario.name,
        verdict,
        rto_seconds=(stage.first_answer or time.monotonic()) - struck.at,
        events=plan.events,
        phases=dict(commands.phases),
        stream_looks=copies.stream_looks,
        archive_looks=copies.archive_looks,
        journals=journals,
    )


async def _struck(scenario: Scenario, stage: Stage, plan: Plan) -> Struck:
    """Have the load run its time, observed, and the disaster strike under it."""
    watching = asyncio.create_task(stage.copies.watch())
    try:
        await asyncio.sleep(plan.seconds)
        stage.say(f"{scenario.name}: the disaster strikes")
        stage.commands.phases.clear()
        return await scenario.strike(stage)
    finally:
        watching.cancel()
        with suppress(asyncio.CancelledError):
            await watching


@asynccontextmanager
async def _loaded(data: DataDirectory, folder: Path, plan: Plan, say: Say) -> AsyncIterator[Load]:
    """Have the load at its full rate; it ends with the context."""
    say(f"starting the load, {plan.rate:g} appends/s at least")
    load = await asyncio.to_thread(start_load, data, folder / "journals", plan.rate)
    try:
        await load.until_full(plan.rate, say)
        yield load
    finally:
        await load.end()


async def _preloaded(
    plan: Plan, folder: Path, data: DataDirectory, commands: PlatformCommands, say: Say
) -> Preloaded | None:
    """Preload, and wait until relays and archivers have caught up."""
    if not plan.events:
        return None
    done = await preload(data, folder / "preload", plan.events, say)
    due = {CONVERSATIONS: done.position}
    say("waiting for stream and archive to have what was preloaded")
    bounded = within(_CAUGHT_UP_SECONDS, "having what was preloaded in stream and archive")
    async with bounded, open_copies(data) as copies:
        showing = asyncio.create_task(_show_catching_up(copies, done.position, say))
        try:
            await copies.until_archived(due)
            await copies.until_streamed(due)
        finally:
            showing.cancel()
            with suppress(asyncio.CancelledError):
                await showing
    await streams_that_differ(commands, say)
    return done


async def _show_catching_up(copies: Copies, position: int, say: Say) -> None:
    """Say how far stream and archive are, until cancelled."""
    while True:
        await asyncio.sleep(_SHOWN_EVERY_SECONDS)
        streamed, archived = await copies.streamed(), copies.archived()
        say(
            f"up to position {streamed[CONVERSATIONS]} of {position} in the stream, "
            f"{archived[CONVERSATIONS]} in the archive"
        )


async def _replicates(stage: Stage, struck: Struck, journals: Journals) -> None:
    """Have a consent acknowledged, which takes the stream."""
    patients = [
        one.stream
        for one in journals.acknowledged
        if one.log == PATIENT_CONTEXT
        and one.time <= struck.promise.until
        and one.stream not in struck.promise.erased
    ]
    if patients:
        with stage.commands.phase("first replicated append"):
            await stage.calls.record_consent(patients[0])


async def _afterwards(
    stage: Stage, folder: Path, journals: Journals, preloaded: Preloaded | None
) -> Afterwards:
    stage.say("comparing every acknowledged write with what is there")
    with stage.commands.phase("streams equal their logs"):
        differ = await streams_that_differ(stage.commands, stage.say)
    reading = await read_logs(stage.data, folder / "reading", journals.asked)
    intact = preloaded is None or preloaded.digest == await digest_up_to(
        stage.data, folder / "preloaded", CONVERSATIONS, preloaded.position
    )
    return Afterwards(reading.found, reading.breaches, intact, differ)
