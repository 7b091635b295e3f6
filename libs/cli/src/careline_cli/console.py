"""How the command speaks: progress and errors on standard error, results on standard output."""

from typing import NoReturn

from rich.console import Console

OUT = Console()
ERR = Console(stderr=True)


def say(step: str) -> None:
    """Show progress."""
    ERR.print(f"[dim]·[/dim] {step}", soft_wrap=True, highlight=False)


def fail(text: str) -> NoReturn:
    """Show one line and end with status 1."""
    ERR.print(f"careline: {text}", style="red", soft_wrap=True, highlight=False, markup=False)
    raise SystemExit(1)
