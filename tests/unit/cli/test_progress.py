"""What takes long says how far it is, also where nobody sees a bar."""

from io import StringIO

import pytest
from careline_cli import console
from careline_cli.progress import shown_progress
from rich.console import Console


def shown(monkeypatch: pytest.MonkeyPatch, *, terminal: bool) -> str:
    out = StringIO()
    monkeypatch.setattr(console, "ERR", Console(file=out, force_terminal=terminal, width=200))
    with shown_progress("routing") as progress:
        for done in range(3):
            progress.progress("comparing", done, 40)
        progress.progress("publishing", 7, 40)
    return out.getvalue()


def test_without_a_terminal_each_step_is_a_line(monkeypatch: pytest.MonkeyPatch) -> None:
    lines = shown(monkeypatch, terminal=False).splitlines()
    assert [line.strip() for line in lines] == [
        "· routing: comparing, 0 of 40",
        "· routing: publishing, 7 of 40",
    ]


def test_on_a_terminal_a_bar_moves(monkeypatch: pytest.MonkeyPatch) -> None:
    assert "routing: publishing" in shown(monkeypatch, terminal=True)
