"""A whole platform, started and driven by the `careline` command as a user does."""

import json
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

UP_SECONDS = 240
COMMAND_SECONDS = 180


@dataclass(frozen=True)
class Careline:
    """The command on one data directory, run by an interpreter: this one, or a test build's."""

    data_dir: Path
    interpreter: str = sys.executable

    def run(self, *arguments: str, seconds: float = COMMAND_SECONDS) -> str:
        """Run a command to its end; gives its standard output, fails with what it said."""
        done = self.attempt(*arguments, seconds=seconds)
        assert done.returncode == 0, f"careline {' '.join(arguments)}: {done.stderr[-2000:]}"
        return done.stdout

    def json(self, *arguments: str, seconds: float = COMMAND_SECONDS) -> Any:  # noqa: ANN401
        return json.loads(self.run(*arguments, seconds=seconds))

    def shown(self, *arguments: str) -> Any:  # noqa: ANN401
        """Give the JSON that a command prints, whatever its status."""
        return json.loads(self.attempt(*arguments).stdout)

    def attempt(
        self, *arguments: str, seconds: float = COMMAND_SECONDS
    ) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            self.command(*arguments),
            capture_output=True,
            text=True,
            timeout=seconds,
            check=False,
        )

    def command(self, *arguments: str) -> tuple[str, ...]:
        program = (self.interpreter, "-m", "careline_cli")
        return (*program, "--data-dir", str(self.data_dir), *arguments)

    @property
    def addresses(self) -> dict[str, Any]:
        found: dict[str, Any] = json.loads((self.data_dir / "platform.json").read_text())
        return found


def process_of(careline: Careline, name: str) -> int:
    """Find a child of the supervisor by the folder that it works in."""
    supervisor = careline.addresses["supervisor_pid"]
    folders = {careline.data_dir / name, careline.data_dir / "services" / name}
    for entry in Path("/proc").iterdir():
        if not entry.name.isdigit():
            continue
        try:
            parent = int((entry / "stat").read_text().rpartition(")")[2].split()[1])
            folder = (entry / "cwd").readlink()
        except OSError:
            continue
        if parent == supervisor and {folder, folder.parent} & folders:
            return int(entry.name)
    raise AssertionError(f"the supervisor has no child {name}")


@pytest.fixture(scope="session")
def careline(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Careline]:
    """A platform that runs as long as the worker; the tests of this folder share one worker."""
    command = Careline(tmp_path_factory.mktemp("careline") / "data")
    command.run("up", "--detach", seconds=UP_SECONDS)
    try:
        yield command
    finally:
        command.run("down")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Give the tests that use a platform the time that it may take to start."""
    for item in items:
        if "careline" in getattr(item, "fixturenames", ()):
            item.add_marker(pytest.mark.timeout(600))
