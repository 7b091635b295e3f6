"""JetStream is lost with its store."""

import asyncio
from typing import Final

from careline_cli.drill.killing import aimed_at
from careline_cli.drill.platform_commands import StepFailed
from careline_cli.drill.stage import Stage, Struck
from careline_cli.drill.verdict import Promise

_TRIES: Final = 60
_PAUSE_SECONDS: Final = 1.0


class JetstreamLost:
    """The logs lose nothing; calls go on, and the streams are made anew."""

    name = "jetstream-lost"
    summary = "kill -9 of NATS, its store gone; streams rebuilt from the logs"

    async def strike(self, stage: Stage) -> Struck:
        folder = stage.data.root / "nats"
        with aimed_at(stage.supervisor, folder) as server:
            await stage.full_load()
            at = server.lose(folder / "jetstream")
        return Struck(at, Promise())

    async def recover(self, stage: Stage, _: Struck) -> None:
        await stage.answers()
        said = ""
        for _try in range(_TRIES):
            code, _out, said = await stage.commands.attempt("streams", "rebuild")
            if code == 0:
                return
            await asyncio.sleep(_PAUSE_SECONDS)  # until the supervisor has NATS up again
        raise StepFailed(f"careline streams rebuild: {said}")
