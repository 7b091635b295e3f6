"""Makes another build of a read model the live one, without a gap for who reads or feeds it."""

from dataclasses import replace

from eventstore.postgres.build_owner import BuildOwner
from eventstore.postgres.builds import Build, BuildState
from eventstore.rebuilding.rebuild import RebuildRefused
from eventstore.rebuilding.replay import ReadModelSource, replay
from eventstore.step_progress import StepProgress

_ROUNDS = 20
_NEAR = 100
_STEP = "catching up"


async def switch(
    source: ReadModelSource, owner: BuildOwner, number: int | None, progress: StepProgress
) -> Build:
    """Catch a verified build up and make it live: build `number`, or the newest that is ready.

    The live build stands still for the last few events alone, and is kept. Raises RebuildRefused,
    BuildRefused, Fenced.
    """
    build = await _chosen(source, owner, number)
    for _ in range(_ROUNDS):
        async with source.engine.begin() as connection:
            live = await source.builds.live(connection, source.projection.name)
        until = await _wanted(source, build, live)
        if until <= build.at.position + _NEAR:
            break
        build = await replay(source, build, until, _STEP, progress)
    async with owner.switching(source.projection.name) as switching:
        until = await _wanted(source, build, switching.live)
        build = await replay(source, build, until, _STEP, progress)
        await switching.to(build)
    return replace(build, state=BuildState.LIVE)


async def _wanted(source: ReadModelSource, build: Build, live: Build | None) -> int:
    """Give where the live build is, which the other must not be behind; the head if they are of
    different histories.
    """
    head = await source.log.head()
    comparable = live is not None and live.at.epoch == build.at.epoch
    position = live.at.position if live is not None and comparable else head.position
    return max(position, build.at.position)


async def _chosen(source: ReadModelSource, owner: BuildOwner, number: int | None) -> Build:
    projection = source.projection
    builds = [build for build, _ in await owner.all(projection.name)]
    fitting = [
        build
        for build in builds
        if (build.state is BuildState.READY if number is None else build.number == number)
    ]
    if not fitting:
        wanted = "build that is ready" if number is None else f"build {number}"
        raise RebuildRefused(f"{projection.name} has no {wanted}: rebuild it first")
    build = fitting[-1]
    if build.state not in (BuildState.READY, BuildState.KEPT):
        raise RebuildRefused(
            f"build {build.number} of {projection.name} is {build.state}: only one that was "
            "verified, or was live before, can be switched to"
        )
    if build.version != projection.version:
        raise RebuildRefused(
            f"build {build.number} is of version {build.version}, this program's is "
            f"{projection.version}: switch with the program that feeds it, to catch it up"
        )
    if build.at.epoch != (await source.log.head()).epoch:
        raise RebuildRefused(
            f"build {build.number} is of the log as it was before a restore: rebuild it"
        )
    return build
