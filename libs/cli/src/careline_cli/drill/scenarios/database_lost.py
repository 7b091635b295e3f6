"""The platform's database is lost with its disk."""

from careline_cli.drill.restore_steps import lose_database, restore
from careline_cli.drill.stage import Stage, Struck
from careline_cli.drill.verdict import Promise


class DatabaseLost:
    """What the relay had passed is in JetStream, the rest at most in the archive."""

    name = "database-lost"
    summary = "kill -9 of the platform's PostgreSQL, data directory gone; restored from the archive"

    async def strike(self, stage: Stage) -> Struck:
        at = await lose_database(stage)
        return Struck(at, Promise(relayed=await stage.copies.streamed()))

    async def recover(self, stage: Stage, _: Struck) -> None:
        await restore(stage)
