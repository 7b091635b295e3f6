"""A read model as it was: a build up to a point of the log, to be looked at and dropped."""

from datetime import datetime

from eventstore.postgres.build_owner import BuildOwner
from eventstore.postgres.builds import Build, BuildState
from eventstore.postgres.statements import load_statements
from eventstore.rebuilding.rebuild import RebuildRefused
from eventstore.rebuilding.replay import ReadModelSource, replay
from eventstore.step_progress import StepProgress


async def scratch(
    source: ReadModelSource, owner: BuildOwner, until: int | datetime, progress: StepProgress
) -> Build:
    """Build up to a position or a time; an unfinished one of the same point is gone on with.

    It can never be switched to. Who was erased meanwhile stays erased. Raises RebuildRefused.
    """
    head = await source.log.head()
    position = await _as_of(source, until) if isinstance(until, datetime) else until
    if position > head.position:
        raise RebuildRefused(f"the log ends at position {head.position}")
    wanted = (source.projection.version, head.epoch, BuildState.SCRATCH, position)
    found = [
        build
        for build, _ in await owner.all(source.projection.name)
        if (build.version, build.at.epoch, build.state, build.until) == wanted
    ]
    build = (
        found[-1]
        if found
        else await owner.make(source.projection, BuildState.SCRATCH, until=position)
    )
    return await replay(source, build, position, "replaying", progress)


async def _as_of(source: ReadModelSource, time: datetime) -> int:
    """Give the last position of what was recorded until then."""
    statement = load_statements(source.schema)["position_as_of"]
    async with source.engine.begin() as connection:
        await source.builds.enter(connection)
        found = await connection.exec_driver_sql(statement, (time,))
        position: int = found.scalar_one()
        return position
