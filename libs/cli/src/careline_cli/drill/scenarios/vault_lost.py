"""Vault is lost with its disk."""

from careline_cli.drill.killing import aimed_at
from careline_cli.drill.restore_steps import set_aside
from careline_cli.drill.stage import Stage, Struck
from careline_cli.drill.verdict import Promise


class VaultLost:
    """Every acknowledged write opens, for the snapshot's tenant keys unwrap the keyring's keys."""

    name = "vault-lost"
    summary = "kill -9 of OpenBao, data directory gone; restored from a raft snapshot"

    async def strike(self, stage: Stage) -> Struck:
        folder = stage.data.root / "openbao"
        with aimed_at(stage.supervisor, folder) as server:
            await stage.full_load()
            return Struck(server.lose(folder), Promise())

    async def recover(self, stage: Stage, _: Struck) -> None:
        await stage.commands.run("down")
        with stage.commands.phase("set aside"):
            set_aside(stage, "openbao")
        await stage.commands.run("vault", "restore")
        await stage.commands.run("up", "--detach")
