"""The supervisor on small real processes."""

import asyncio
import os
import signal
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from careline_cli.platform.supervisor import ChildState, Supervisor, supervising
from embedded import Command, EmbeddedServerError, Progress, silent

SERVES = """
import pathlib, signal, sys, time
signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
pathlib.Path(sys.argv[1]).write_text("up")
signal.pause()
"""
SECONDS = 20


class Sleeper:
    """A process that says it serves by a file, and ends at SIGTERM."""

    stop_signal = signal.SIGTERM

    def __init__(self, folder: Path, name: str, program: str = SERVES) -> None:
        self.name = name
        self.data_dir = folder / name
        self.log_file = folder / f"{name}.log"
        self._program = program
        self._sign = self.data_dir / "up"

    def prepare(self, progress: Progress = silent) -> None:
        progress("getting ready")
        self._sign.unlink(missing_ok=True)

    def command(self) -> Command:
        argv = (sys.executable, "-c", self._program, str(self._sign))
        return Command(argv, {}, self.data_dir)

    async def wait_ready(self) -> None:
        while not self._sign.exists():  # noqa: ASYNC110 - the file is another process's
            await asyncio.sleep(0.01)

    def release(self) -> None:
        return


@pytest.fixture
def said() -> list[str]:
    return []


@pytest.fixture
async def supervisor(said: list[str]) -> AsyncIterator[Supervisor]:
    async with supervising(said.append) as supervisor:
        yield supervisor


async def until_restarted(supervisor: Supervisor) -> None:
    (child,) = supervisor.children
    async with asyncio.timeout(SECONDS):
        while not (child.restarts and child.ready.is_set()):  # noqa: ASYNC110 - two conditions
            await asyncio.sleep(0.01)


async def test_a_killed_child_is_started_again_and_it_says_so(
    supervisor: Supervisor, said: list[str], tmp_path: Path
) -> None:
    await supervisor.start(Sleeper(tmp_path, "one"))
    (child,) = supervisor.children
    assert child.process is not None
    first = child.process.pid

    os.kill(first, signal.SIGKILL)
    await until_restarted(supervisor)

    assert child.process.pid != first
    assert child.state is ChildState.READY
    assert any("killed by signal 9; starting it again" in line for line in said)
    assert said[-1] == "one serves again"


async def test_leaving_stops_every_child(tmp_path: Path, said: list[str]) -> None:
    async with supervising(said.append) as supervisor:
        await supervisor.start(Sleeper(tmp_path, "one"), Sleeper(tmp_path, "two"))
        processes = [child.process for child in supervisor.children]

    for process in processes:
        assert process is not None
        with pytest.raises(ProcessLookupError):
            os.kill(process.pid, 0)


async def test_a_child_that_can_not_start_at_first_is_an_error(
    supervisor: Supervisor, tmp_path: Path
) -> None:
    with pytest.raises(ExceptionGroup) as raised:
        await supervisor.start(Sleeper(tmp_path, "broken", "import sys; sys.exit(3)"))

    assert raised.group_contains(EmbeddedServerError, match="ended with status 3")


async def test_children_start_side_by_side(supervisor: Supervisor, tmp_path: Path) -> None:
    names = ["one", "two", "three"]

    await supervisor.start(*(Sleeper(tmp_path, name) for name in names))

    assert [child.server.name for child in supervisor.children] == names
    assert all(child.ready.is_set() for child in supervisor.children)
