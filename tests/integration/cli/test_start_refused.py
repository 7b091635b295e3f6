"""What hinders a start is one line that says what to do, and leaves nothing running."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

MAKEFILE = Path(__file__).resolve().parents[3] / "Makefile"


def careline(data_dir: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        (sys.executable, "-m", "careline_cli", "--data-dir", str(data_dir), *arguments),
        capture_output=True,
        text=True,
        timeout=100,
        check=False,
    )


def refusal(done: subprocess.CompletedProcess[str]) -> str:
    """Give the one line that a command said before it ended with status 1."""
    assert done.returncode == 1
    assert done.stdout == ""
    assert done.stderr.startswith("careline: ")
    assert done.stderr.count("\n") == 1, done.stderr
    return done.stderr


@pytest.mark.parametrize("options", [(), ("--detach",)], ids=["here", "detached"])
def test_a_full_disk(options: tuple[str, ...]) -> None:
    """/proc has no space at all."""
    said = refusal(careline(Path("/proc/careline"), "up", *options))

    assert "the disk is full, 0 MB free at /proc; free at least" in said


def test_a_data_directory_that_can_not_be_written_to(tmp_path: Path) -> None:
    (tmp_path / "file").touch()

    said = refusal(careline(tmp_path / "file" / "data", "up"))

    assert "cannot write to" in said
    assert "choose another --data-dir" in said


@pytest.mark.parametrize("command", ["down", "status", "demo", "token", "events"])
def test_no_platform_that_runs_on_the_data_directory(tmp_path: Path, command: str) -> None:
    said = refusal(careline(tmp_path, command))

    assert said == f"careline: no platform runs on {tmp_path}; start one with: careline up\n"


def make(tmp_path: Path, python: Path | str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ("/usr/bin/env", "make", "-f", str(MAKEFILE), "run", f"PYTHON={python}"),
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
        env={"PATH": os.environ["PATH"]},
    )


def test_a_python_that_is_too_old(tmp_path: Path) -> None:
    old = tmp_path / "python3.9"
    # Says of itself what Python 3.9 says, and finds sys.version_info too small.
    old.write_text('#!/bin/sh\nif [ "$1" = -V ]; then echo Python 3.9.2; else exit 1; fi\n')
    old.chmod(0o700)

    done = make(tmp_path, old)

    first, *makes_own = done.stderr.splitlines()
    assert done.returncode != 0
    assert first == (
        f"careline: Python 3.11 or newer is needed, {old} is Python 3.9.2; "
        "run: make PYTHON=/path/to/python3"
    )
    assert all(line.startswith("make: ***") for line in makes_own)
    assert not (tmp_path / ".venv").exists()


def test_no_python_at_all(tmp_path: Path) -> None:
    done = make(tmp_path, "python-of-nobody")

    assert done.returncode != 0
    assert done.stderr.startswith("careline: no python-of-nobody found; install Python 3.11")
