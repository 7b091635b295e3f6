"""A server is ended with everything that works below its folder, and nothing else is."""

import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from careline_cli.drill.killing import KillFailed, aimed_at

# Says when it is there, and stays.
WORK = "import sys; print('there', flush=True); sys.stdin.read()"


def working_in(folder: Path) -> subprocess.Popen[str]:
    process = subprocess.Popen(
        (sys.executable, "-c", WORK),
        cwd=folder,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "there\n"
    return process


@pytest.fixture
def server(tmp_path: Path) -> Iterator[subprocess.Popen[str]]:
    (tmp_path / "postgres" / "cluster").mkdir(parents=True)
    with working_in(tmp_path / "postgres" / "cluster") as process:
        yield process
        process.kill()


@pytest.fixture
def supervisor(tmp_path: Path) -> Iterator[subprocess.Popen[str]]:
    with working_in(tmp_path) as process:
        yield process
        process.kill()


def test_a_server_is_killed_and_its_store_gone_while_the_supervisor_goes_on(
    tmp_path: Path, supervisor: subprocess.Popen[str], server: subprocess.Popen[str]
) -> None:
    folder = tmp_path / "postgres"
    with aimed_at(supervisor.pid, folder) as aimed:
        late = working_in(folder)
        aimed.lose(folder / "cluster")

    assert server.wait() == late.wait() == -signal.SIGKILL
    assert list(folder.iterdir()) == []
    # It ends by itself, which one that stands still does not.
    assert supervisor.communicate("", timeout=30)[0] == ""
    late.communicate()


def test_a_server_that_is_not_there_is_said_and_the_supervisor_goes_on(
    tmp_path: Path, supervisor: subprocess.Popen[str]
) -> None:
    with (
        pytest.raises(KillFailed, match="no process works below"),
        aimed_at(supervisor.pid, tmp_path / "nats"),
    ):
        pytest.fail("there is nothing to aim at")

    assert supervisor.communicate("", timeout=30)[0] == ""
