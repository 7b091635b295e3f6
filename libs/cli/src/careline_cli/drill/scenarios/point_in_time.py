"""The logs go back to a point in time."""

import time
from typing import Final

from careline_cli.drill.platform_commands import within
from careline_cli.drill.restore_steps import lose_database, restore
from careline_cli.drill.stage import Stage, Struck
from careline_cli.drill.verdict import Promise

_ARCHIVED_SECONDS: Final = 60.0


class PointInTime:
    """Everything from before the point is there; what came later is given up."""

    name = "point-in-time"
    summary = "the database lost, and restored to a moment under load"

    async def strike(self, stage: Stage) -> Struck:
        point = await archived_point(stage)
        return Struck(await lose_database(stage), Promise(until=point))

    async def recover(self, stage: Stage, struck: Struck) -> None:
        await restore(stage, struck.promise.until)


async def archived_point(stage: Stage) -> float:
    """Take this moment of the wall clock, and return it once the archive has all from before.

    Raises StepFailed when it does not get there.
    """
    point = time.time()
    due: dict[str, int] = {}
    for one in stage.load.journals().acknowledged:
        if one.time <= point:
            due[one.log] = max(due.get(one.log, 0), one.position)
    async with within(_ARCHIVED_SECONDS, "archiving what the load wrote"):
        await stage.copies.until_archived(due)
    return point
