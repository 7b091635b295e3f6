"""How the command speaks: progress and errors on standard error, results on standard output."""

import json
import os
import sys
from collections.abc import Callable, Mapping
from typing import NoReturn

from rich.console import Console

from careline_cli.command_error import CommandError

Say = Callable[[str], None]
"""Shows one line of progress."""


class ReaderGone(CommandError):
    """Nobody reads the output any more, as in `careline events | head`: nothing is left to say."""


class Output(Console):
    """Standard output, whose reader may go."""

    def on_broken_pipe(self) -> None:
        """End by an exception that tasks pass on; Rich's own is a SystemExit."""
        # What is still buffered would fail again when the process ends.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        raise ReaderGone


OUT = Output()
ERR = Console(stderr=True)


def say(step: str) -> None:
    """Show progress."""
    ERR.print(f"[dim]·[/dim] {step}", soft_wrap=True, highlight=False)


def show(found: Mapping[str, object], *, as_json: bool) -> None:
    """Show a result: a line each, or as JSON."""
    if as_json:
        OUT.print_json(json.dumps(found))
        return
    for name, value in found.items():
        shown = ", ".join(map(str, value)) if isinstance(value, list | tuple) else value
        OUT.print(f"{name.replace('_', ' ')}: {shown}", highlight=False, markup=False)


def fail(text: str) -> NoReturn:
    """Show one line, unless nothing is left to say, and end with status 1."""
    if text:
        ERR.print(f"careline: {text}", style="red", soft_wrap=True, highlight=False, markup=False)
    raise SystemExit(1)
