"""Kills a whole platform at once, so that nothing of it has time to put anything in order."""

import os
import select
import signal
from collections import defaultdict
from contextlib import ExitStack, suppress
from pathlib import Path

END_SECONDS = 30.0


def kill_platform(supervisor: int) -> None:
    """SIGKILL a supervisor and every process below it; returns when all have ended."""
    # Stopped, it can neither start a child again nor ask one to end in good order.
    os.kill(supervisor, signal.SIGSTOP)
    with ExitStack() as stack:
        handles = []
        for process in (*descendants(supervisor), supervisor):
            with suppress(ProcessLookupError):  # it has ended by itself meanwhile
                handles.append(os.pidfd_open(process))
                stack.callback(os.close, handles[-1])
        for handle in handles:
            with suppress(ProcessLookupError):  # the same: a server's helper, without the server
                signal.pidfd_send_signal(handle, signal.SIGKILL)
        for handle in handles:
            ended, _, _ = select.select([handle], [], [], END_SECONDS)
            assert ended, "a process outlives a SIGKILL"


def descendants(ancestor: int) -> list[int]:
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
