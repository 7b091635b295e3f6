"""The database is lost: its logs come back from the archive, and the platform serves on them."""

import json
import shutil
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


def test_a_lost_database_comes_back_from_the_archive(stopped: Careline) -> None:
    before = events(stopped)
    wait_until_archived(stopped)
    keys = stopped.data_dir.parent / "keys.json"
    keys.write_text(stopped.run("archive", "keys"))
    archive = (stopped.data_dir / "archive").as_uri()
    kill_platform(stopped.addresses["supervisor_pid"])
    shutil.rmtree(stopped.data_dir / "postgres")

    verified = stopped.json("archive", "verify", "--public-keys", str(keys), "--json")
    restored = stopped.json("restore", "--from", archive, "--json", seconds=UP_SECONDS)["restored"]
    again = stopped.json("restore", "--from", archive, "--json", seconds=UP_SECONDS)["restored"]
    shutil.rmtree(stopped.data_dir / "nats")
    stopped.run("up", "--detach", seconds=UP_SECONDS)
    after = events(stopped)
    services = stopped.json("status", "--json")["services"]

    assert verified["faults"] == {}
    assert {one["epoch"] for one in restored} == {2}
    assert again == []
    assert {place: after[place] for place in before} == before
    assert {one["status"] for one in services} == {"SERVING"}
