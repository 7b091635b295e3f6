"""Ends a server of a running platform as a lost machine does: no process of it tidies up."""

import os
import select
import shutil
import signal
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from careline_cli.command_error import CommandError

_END_SECONDS: Final = 30.0


class KillFailed(CommandError):
    """A drill's server could not be ended."""


@dataclass(frozen=True, slots=True)
class Victim:
    """A server: the processes that work below a folder, and those that they may start yet."""

    folder: Path
    processes: tuple[int, ...]

    def lose(self, store: Path) -> float:
        """SIGKILL all of it, then delete `store`; gives the monotonic time of the kill."""
        at = time.monotonic()
        _kill(self.processes)
        while late := _working_below(self.folder):
            _kill(late)
        shutil.rmtree(store)
        return at


@contextmanager
def aimed_at(supervisor: int, folder: Path) -> Iterator[Victim]:
    """Give the server that works below `folder`, ready to be killed without any further look.

    The supervisor stands still meanwhile, so that nothing is started on half a folder. Raises
    KillFailed when there is no such server.
    """
    os.kill(supervisor, signal.SIGSTOP)
    try:
        processes = _working_below(folder)
        if not processes:
            raise KillFailed(f"no process works below {folder}")
        yield Victim(folder, processes)
    finally:
        os.kill(supervisor, signal.SIGCONT)


def _kill(processes: tuple[int, ...]) -> None:
    """End them all at once; returns when none is left. Raises KillFailed."""
    with ExitStack() as stack:
        handles = []
        for process in processes:
            with suppress(ProcessLookupError):  # it has ended by itself meanwhile
                handles.append(os.pidfd_open(process))
                stack.callback(os.close, handles[-1])
        for handle in handles:
            with suppress(ProcessLookupError):  # a helper ends with its server
                signal.pidfd_send_signal(handle, signal.SIGKILL)
        for handle in handles:
            ended, _, _ = select.select([handle], [], [], _END_SECONDS)
            if not ended:
                raise KillFailed("a process outlives a SIGKILL")


def _working_below(folder: Path) -> tuple[int, ...]:
    processes = (int(entry.name) for entry in Path("/proc").iterdir() if entry.name.isdigit())
    return tuple(one for one in processes if _works_below(one, folder))


def _works_below(process: int, folder: Path) -> bool:
    try:
        working = Path(f"/proc/{process}/cwd").readlink()
    except (FileNotFoundError, ProcessLookupError, PermissionError):
        return False  # it has ended, or is somebody else's
    return working == folder or folder in working.parents
