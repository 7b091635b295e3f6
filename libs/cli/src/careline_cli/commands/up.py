"""`careline up`: starts the platform and keeps it running."""

import asyncio
import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Annotated

import typer
from embedded.local_ports import HOST

from careline_cli import console
from careline_cli.commands.options import data_of
from careline_cli.platform.data_directory import (
    BACKUP_DIRECTORY,
    DataDirectory,
    DataDirectoryError,
)

DETACH_SECONDS = 240.0
POLL_SECONDS = 0.2
INHERITED = ("PATH", "HOME", BACKUP_DIRECTORY)


def up(
    context: typer.Context,
    *,
    detach: Annotated[
        bool, typer.Option("--detach", help="Return once everything serves; `down` stops it.")
    ] = False,
    demo: Annotated[
        bool, typer.Option("--demo", help="Play one contact when everything serves.")
    ] = False,
) -> None:
    """Start everything on this machine and keep it running.

    That is PostgreSQL, NATS, OpenBao and the six services.
    """
    data = data_of(context)
    data.require_stopped()
    data.require_space()
    data.create()
    if detach:
        _detach(data)
    else:
        # Imported now: whoever detaches, or asks for help, has no use for all of it.
        from careline_cli.serving import serve_until_stopped  # noqa: PLC0415

        with data.held():
            asyncio.run(serve_until_stopped(data, demo=demo))


def _detach(data: DataDirectory) -> None:
    """Start a supervisor of its own and return once everything serves."""
    data.forget_addresses()  # a killed platform's: this one serves when its own are there
    log = data.logs / "supervisor.log"
    with log.open("ab") as stream:
        process = subprocess.Popen(  # noqa: S603 - this very program
            (sys.executable, "-m", "careline_cli", "--data-dir", str(data.root), "up"),
            stdin=subprocess.DEVNULL,
            stdout=stream,
            stderr=stream,
            start_new_session=True,
            cwd=data.root,
            env={name: os.environ[name] for name in INHERITED if name in os.environ},
        )
    deadline = time.monotonic() + DETACH_SECONDS
    while time.monotonic() < deadline:
        if process.poll() is not None:
            raise DataDirectoryError(f"the platform did not start: {_last_line(log)}")
        if data.addresses_file.exists():
            console.say(f"serving on {data.root}, services on {HOST}; stop it with: careline down")
            return
        time.sleep(POLL_SECONDS)
    process.terminate()
    raise DataDirectoryError(f"not ready after {DETACH_SECONDS:g} s; see the end of {log}")


def _last_line(log: Path) -> str:
    """Give what the supervisor said last, which is why it ended."""
    lines = log.read_text(encoding="utf-8", errors="replace").splitlines()
    return lines[-1].removeprefix("careline: ") if lines else f"see {log}"
