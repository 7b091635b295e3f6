"""What a supervisor needs to know of a server in order to run it."""

import signal
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

Progress = Callable[[str], None]


def silent(step: str) -> None:
    """Show nothing of a step."""


@dataclass(frozen=True, slots=True)
class Command:
    """A program to start: its environment is `env` and nothing else."""

    argv: tuple[str, ...]
    env: Mapping[str, str]
    cwd: Path


class Server(Protocol):
    """A server whose files all lie in `data_dir`.

    The order of a life: `prepare`, `command`, `wait_ready`, `stop_signal`, `release`, as often as
    wanted; each run starts again at `prepare`, which an unclean end before does not hinder.
    """

    @property
    def name(self) -> str: ...

    @property
    def data_dir(self) -> Path: ...

    @property
    def log_file(self) -> Path: ...

    @property
    def stop_signal(self) -> signal.Signals: ...

    def prepare(self, progress: Progress = silent) -> None:
        """Bring the data directory into a state to start on; `progress` is told what takes a while.

        Blocks for up to some seconds, so it runs in a worker thread, and so does `progress`. Raises
        EmbeddedServerError.
        """

    def command(self) -> Command: ...

    async def wait_ready(self) -> None:
        """Return as soon as it serves. Polls without end: the caller bounds it."""

    def release(self) -> None:
        """Remove what lies outside the data directory, once the process has ended."""
