"""The steps of the runbook for a lost platform database, by the commands that it names."""

from datetime import UTC, datetime

from careline_cli.drill.killing import aimed_at
from careline_cli.drill.stage import Stage


async def lose_database(stage: Stage) -> float:
    """Under full load, SIGKILL the platform's PostgreSQL and delete its data directory.

    Gives the monotonic time of it.
    """
    folder = stage.data.root / "postgres"
    with aimed_at(stage.supervisor, folder) as server:
        await stage.full_load()
        return server.lose(folder)


async def restore(stage: Stage, until: float | None = None) -> None:
    """Follow docs/runbooks/disaster-recovery.md; `until` is a point on the wall clock."""
    await stage.commands.run("down")
    with stage.commands.phase("set aside"):
        set_aside(stage, "postgres")
    keys = str(stage.public_keys)
    await stage.commands.run("archive", "verify", "--public-keys", keys)
    point = () if until is None else ("--until", datetime.fromtimestamp(until, UTC).isoformat())
    await stage.commands.run("restore", "--from", stage.data.archive.as_uri(), *point)
    await stage.commands.run("up", "--detach")


def set_aside(stage: Stage, name: str) -> None:
    """Rename a folder of the data directory, where there is one."""
    folder = stage.data.root / name
    if folder.exists():
        folder.rename(folder.with_name(f"{name}.lost"))
