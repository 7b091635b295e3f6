"""Ctrl-C in a terminal: it reaches the supervisor alone, which stops everything."""

import json
import os
import pty
import select
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from e2e.conftest import UP_SECONDS, Careline
from embedded.local_ports import is_free

CTRL_C = b"\x03"
# A session whose controlling terminal is standard input, as a shell in a terminal has it.
IN_A_TERMINAL = """
import fcntl, os, sys, termios
fcntl.ioctl(0, termios.TIOCSCTTY, 0)
os.execv(sys.argv[1], sys.argv[1:])
"""


class Terminal:
    """A program in a terminal: what it says, and keys."""

    def __init__(self, keyboard: int, process: subprocess.Popen[bytes]) -> None:
        self._keyboard = keyboard
        self.process = process
        self.said = ""

    def press(self, keys: bytes) -> None:
        os.write(self._keyboard, keys)

    def wait_for(self, text: str) -> None:
        """Read until the program said this; fails when it ends or takes too long."""
        deadline = time.monotonic() + UP_SECONDS
        while text not in self.said:
            assert self._read(deadline), f"ended without {text!r}: {self.said[-2000:]}"

    def status(self) -> int:
        """Read to the program's end and give its status."""
        deadline = time.monotonic() + UP_SECONDS
        while self._read(deadline):
            continue
        return self.process.wait(UP_SECONDS)

    def _read(self, deadline: float) -> bool:
        ready, _, _ = select.select((self._keyboard,), (), (), deadline - time.monotonic())
        assert ready, f"says nothing more: {self.said[-2000:]}"
        try:
            self.said += os.read(self._keyboard, 4096).decode()
        except OSError:  # how a terminal says that its last program has ended
            return False
        return True


@contextmanager
def terminal(command: tuple[str, ...]) -> Iterator[Terminal]:
    keyboard, screen = pty.openpty()
    with subprocess.Popen(
        (sys.executable, "-c", IN_A_TERMINAL, *command),
        stdin=screen,
        stdout=screen,
        stderr=screen,
        start_new_session=True,
    ) as process:
        os.close(screen)
        try:
            yield Terminal(keyboard, process)
        finally:
            process.kill()
            os.close(keyboard)


def processes_of(folder: Path) -> list[str]:
    """Name every process that works in the folder or was told of it."""
    found = []
    for entry in Path("/proc").iterdir():
        try:
            told = (entry / "cmdline").read_text().replace("\0", " ")
            works_in = (entry / "cwd").readlink()
        except (OSError, UnicodeDecodeError):
            continue  # ended meanwhile, or no process
        if str(folder) in told or works_in.is_relative_to(folder):
            found.append(told)
    return found


def ports_of(folder: Path) -> list[int]:
    files = folder.rglob("ports.json")
    return [port for file in files for port in json.loads(file.read_text()).values()]


def sockets_of(folder: Path) -> list[str]:
    listening = Path("/proc/net/unix").read_text().splitlines()
    return [line for line in listening if str(folder) in line]


@pytest.fixture(scope="module")
def platform(tmp_path_factory: pytest.TempPathFactory) -> Careline:
    return Careline(tmp_path_factory.mktemp("terminal") / "data")


def nothing_is_left(platform: Careline) -> None:
    assert processes_of(platform.data_dir) == []
    assert sockets_of(platform.data_dir) == []
    assert [port for port in ports_of(platform.data_dir) if not is_free(port)] == []
    assert "no platform runs" in platform.attempt("status").stderr


@pytest.mark.timeout(600)
@pytest.mark.xdist_group("terminal")
def test_pressed_twice_during_the_start_it_stops_what_was_started(platform: Careline) -> None:
    with terminal(platform.command("up")) as screen:
        screen.wait_for("postgres: databases and roles")
        screen.press(CTRL_C)
        screen.wait_for("stopping")
        screen.press(CTRL_C)
        status = screen.status()

    assert status == 0
    assert "stopped; the data stay" in screen.said
    assert "Traceback" not in screen.said
    nothing_is_left(platform)


@pytest.mark.timeout(600)
@pytest.mark.xdist_group("terminal")
def test_pressed_while_serving_it_stops_all_of_it(platform: Careline) -> None:
    """The start before was broken off: this one goes on from there."""
    with terminal(platform.command("up")) as screen:
        screen.wait_for("Ctrl-C stops all of it.")
        assert len(ports_of(platform.data_dir)) == 16
        screen.press(CTRL_C)
        status = screen.status()

    assert status == 0
    assert "stopped; the data stay" in screen.said
    assert "Traceback" not in screen.said
    assert "starting it again" not in screen.said
    nothing_is_left(platform)
