"""`careline down`: stops a platform that runs on the data directory."""

import os
import signal
import time

import typer

from careline_cli import console
from careline_cli.commands.options import data_of
from careline_cli.platform.data_directory import DataDirectoryError

STOP_SECONDS = 90.0
POLL_SECONDS = 0.1


def down(context: typer.Context) -> None:
    """Stop the platform; its data stay."""
    data = data_of(context)
    supervisor = data.addresses().supervisor_pid
    os.kill(supervisor, signal.SIGTERM)
    deadline = time.monotonic() + STOP_SECONDS
    while time.monotonic() < deadline:
        # Not the process id, which stays until somebody has asked for the process's status.
        if not data.is_held():
            console.say("stopped")
            return
        time.sleep(POLL_SECONDS)
    raise DataDirectoryError(f"process {supervisor} did not stop in {STOP_SECONDS:g} s; kill it")
