"""Ends a server of a running platform as a lost machine does: no process of it tidies up."""

import os
import select
import shutil
import signal
import time
from collections import defaultdict
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import Final

from careline_cli.command_error import CommandError

_END_SECONDS: Final = 30.0


class KillFailed(CommandError):
    """A drill's server could not be ended."""


def lose_server(supervisor: int, folder: Path, store: Path) -> float:
    """SIGKILL every process that works below `folder`, then delete `store`.

    The supervisor stands still meanwhile, so that nothing starts on half a folder. Returns the
    monotonic time of the kill. Raises KillFailed when there is no such process.
    """
    os.kill(supervisor, signal.SIGSTOP)
    try:
        victims = [one for one in _descendants(supervisor) if _works_below(one, folder)]
        if not victims:
            raise KillFailed(f"no process works below {folder}")
        at = _kill(victims)
        shutil.rmtree(store)
    finally:
        os.kill(supervisor, signal.SIGCONT)
    return at


def _kill(victims: list[int]) -> float:
    """End them all at once; returns when none is left, with the time of the first signal."""
    with ExitStack() as stack:
        handles = []
        for process in victims:
            with suppress(ProcessLookupError):  # it has ended by itself meanwhile
                handles.append(os.pidfd_open(process))
                stack.callback(os.close, handles[-1])
        at = time.monotonic()
        for handle in handles:
            with suppress(ProcessLookupError):  # a helper ends with its server
                signal.pidfd_send_signal(handle, signal.SIGKILL)
        for handle in handles:
            ended, _, _ = select.select([handle], [], [], _END_SECONDS)
            if not ended:
                raise KillFailed("a process outlives a SIGKILL")
    return at


def _works_below(process: int, folder: Path) -> bool:
    try:
        working = Path(f"/proc/{process}/cwd").readlink()
    except (FileNotFoundError, ProcessLookupError, PermissionError):
        return False
    return working == folder or folder in working.parents


def _descendants(ancestor: int) -> list[int]:
    children: defaultdict[int, list[int]] = defaultdict(list)
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            children[_parent(entry)].append(int(entry.name))
    found, next_ones = [], [ancestor]
    while next_ones:
        next_ones = [child for one in next_ones for child in children[one]]
        found += next_ones
    return found


def _parent(process: Path) -> int:
    """Read a process's parent; 0, which is nobody's, for one that has ended meanwhile."""
    try:
        return int(process.joinpath("stat").read_text().rpartition(")")[2].split()[1])
    except (FileNotFoundError, ProcessLookupError):
        return 0
