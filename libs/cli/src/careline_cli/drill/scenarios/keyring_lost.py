"""The keyring's database is lost with its disk, after a patient was erased."""

from careline_cli.drill.killing import aimed_at
from careline_cli.drill.restore_steps import set_aside
from careline_cli.drill.stage import Stage, Struck
from careline_cli.drill.verdict import Promise


class KeyringLost:
    """Every acknowledged write opens, for its key was on a second disk; the erased one's do not."""

    name = "keyring-lost"
    summary = "a patient erased, then kill -9 of the keyring's PostgreSQL, data directory gone"

    async def strike(self, stage: Stage) -> Struck:
        await stage.calls.erase(stage.load.patient)
        folder = stage.data.root / "keyring"
        with aimed_at(stage.supervisor, folder) as server:
            await stage.full_load()
            at = server.lose(folder)
        erased = stage.load.journals().linked | {stage.load.patient}
        return Struck(at, Promise(erased=frozenset(erased)))

    async def recover(self, stage: Stage, _: Struck) -> None:
        await stage.commands.run("down")
        with stage.commands.phase("set aside"):
            set_aside(stage, "keyring")
        await stage.commands.run("keyring", "restore")
        await stage.commands.run("up", "--detach")
