"""Shows how far something that takes long is: a bar on a terminal, else a line now and then."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final, Protocol

from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeRemainingColumn

from careline_cli import console

_LINE_SECONDS: Final = 5.0


class Shown(Protocol):
    """Told by what takes long; `end` clears what is not to stay."""

    def progress(self, step: str, done: int, total: int) -> None: ...

    def end(self) -> None: ...


@contextmanager
def shown_progress(what: str) -> Iterator[Shown]:
    """Show on standard error, for as long as the context lasts."""
    shown: Shown = _Bar(what) if console.ERR.is_terminal else _Lines(what)
    try:
        yield shown
    finally:
        shown.end()


class _Bar:
    def __init__(self, what: str) -> None:
        self._what = what
        columns = (
            TextColumn("{task.description}"),
            BarColumn(),
            TaskProgressColumn(),
            TimeRemainingColumn(),
        )
        self._bars = Progress(*columns, console=console.ERR, transient=True)
        self._bars.start()
        self._bar = self._bars.add_task(what, total=None)

    def progress(self, step: str, done: int, total: int) -> None:
        self._bars.update(
            self._bar, description=f"{self._what}: {step}", completed=done, total=total
        )

    def end(self) -> None:
        self._bars.stop()


class _Lines:
    def __init__(self, what: str) -> None:
        self._what = what
        self._step = ""
        self._told = 0.0

    def progress(self, step: str, done: int, total: int) -> None:
        now = time.monotonic()
        if step != self._step or now - self._told >= _LINE_SECONDS:
            self._step, self._told = step, now
            console.say(f"{self._what}: {step}, {done} of {total}")

    def end(self) -> None:
        """Leave the lines as they are."""
