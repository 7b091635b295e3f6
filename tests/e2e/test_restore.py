"""The database is lost: its logs come back, and the platform serves on them."""

import json
import shutil
import subprocess
from collections.abc import Iterator
from typing import Any

import pytest
from e2e.conftest import UP_SECONDS, Careline
from e2e.killing import kill_platform

pytestmark = pytest.mark.timeout(600)


@pytest.fixture
def stopped(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Careline]:
    """A platform with contacts played, killed together with the disk of its database."""
    careline = Careline(tmp_path_factory.mktemp("lost") / "data")
    careline.run("up", "--detach", seconds=UP_SECONDS)
    careline.run("demo")
    wait_until_archived(careline)
    yield careline
    careline.attempt("down")


def wait_until_archived(careline: Careline) -> None:
    """Return when the archive has every log's head."""
    for _ in range(100):
        archived = careline.json("archive", "status", "--json")["archives"]
        if all(one["lag"] == 0 for one in archived):
            return
    pytest.fail("the archive stays behind")


def events(careline: Careline) -> dict[tuple[str, int], dict[str, Any]]:
    lines = careline.run("events", "--json").splitlines()
    found = (json.loads(line) for line in lines)
    return {(event["service"], event["position"]): event for event in found}


def test_a_lost_database_comes_back_from_archive_and_streams(stopped: Careline) -> None:
    wait_until_archived(stopped)
    behind = stopped.data_dir.parent / "archive"
    shutil.copytree(stopped.data_dir / "archive", behind)
    stopped.run("demo")
    before = events(stopped)
    wait_until_published(stopped)
    keys = stopped.data_dir.parent / "keys.json"
    keys.write_text(stopped.run("archive", "keys"))
    kill_platform(stopped.addresses["supervisor_pid"])
    shutil.rmtree(stopped.data_dir / "postgres")
    archive = ("--from", behind.as_uri())

    verified = stopped.json("archive", "verify", *archive, "--public-keys", str(keys), "--json")
    break_off_restore(stopped, archive)
    restored = stopped.json("restore", *archive, "--json", seconds=UP_SECONDS)["restored"]
    again = stopped.json("restore", *archive, "--json", seconds=UP_SECONDS)["restored"]
    stopped.run("up", "--detach", seconds=UP_SECONDS)
    after = events(stopped)
    services = stopped.json("status", "--json")["services"]
    streams = stopped.json("streams", "verify", "--json")["streams"]

    assert verified["faults"] == {}
    assert {one["epoch"] for one in restored} == {2}
    assert sum(one["from_stream"] for one in restored) > 0
    assert {one["stream"]["left_out"] for one in restored} == {0}
    assert again == []
    assert {place: after[place] for place in before} == before
    assert {one["status"] for one in services} == {"SERVING"}
    assert {one["ok"] for one in streams} == {True}


def wait_until_published(careline: Careline) -> None:
    """Return when every stream has its log."""
    for _ in range(100):
        if careline.attempt("streams", "verify", "--json").returncode == 0:
            return
    pytest.fail("a stream stays behind")


def break_off_restore(careline: Careline, archive: tuple[str, str]) -> None:
    """Kill a restore in the midst of its logs."""
    command = careline.command("restore", *archive)
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as process:
        assert process.stderr is not None
        assert any("from the archive" in line for line in process.stderr)
        process.kill()
