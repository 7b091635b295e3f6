"""A patient is erased, and then the logs go back to before that."""

from careline_cli.drill.restore_steps import lose_database, restore
from careline_cli.drill.scenarios.point_in_time import archived_point
from careline_cli.drill.stage import Stage, Struck
from careline_cli.drill.verdict import Promise


class ErasedPatient:
    """The keyring does not go back, so that the patient stays erased in all that is restored."""

    name = "erased-patient"
    summary = "a patient erased, the database lost, and restored to before the erasure"

    async def strike(self, stage: Stage) -> Struck:
        point = await archived_point(stage)
        await stage.calls.erase(stage.load.patient)
        at = await lose_database(stage)
        erased = stage.load.journals().linked | {stage.load.patient}
        return Struck(at, Promise(until=point, erased=frozenset(erased)))

    async def recover(self, stage: Stage, struck: Struck) -> None:
        await restore(stage, struck.promise.until)
