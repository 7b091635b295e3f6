"""The command line that starts a server through `launch.py`."""

import os
import signal
import sys
from collections.abc import Sequence
from pathlib import Path

from embedded.account import Account


def launched(
    argv: Sequence[str], *, stop_signal: signal.Signals, account: Account | None = None
) -> tuple[str, ...]:
    """Run `argv` as the account, and stop it by `stop_signal` when this process ends."""
    uid, gid, capability = "-", "-", "-"
    if account is not None:
        uid, gid = str(account.uid), str(account.gid)
        capability = "-" if account.capability is None else str(account.capability)
    script = str(Path(__file__).with_name("launch.py"))
    interpreter = (sys.executable, "-I", "-S", script)
    return (*interpreter, str(os.getpid()), str(int(stop_signal)), uid, gid, capability, *argv)
