"""The keyring and Vault are lost: both come back, and what was said before them is readable."""

import json
import shutil
from collections.abc import Iterator
from typing import Any

import pytest
from e2e.conftest import UP_SECONDS, Careline
from e2e.killing import kill_platform

pytestmark = pytest.mark.timeout(900)


@pytest.fixture
def killed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Careline, Any]]:
    """A platform that was killed when a contact had been played on it, and what that showed."""
    careline = Careline(tmp_path_factory.mktemp("keys") / "data")
    careline.run("up", "--detach", seconds=UP_SECONDS)
    careline.run("demo")
    before = careline.json("keyring", "verify", "--json")
    kill_platform(careline.addresses["supervisor_pid"])
    yield careline, before
    careline.attempt("down")


def test_keyring_and_vault_are_lost_and_come_back_with_every_key(
    killed: tuple[Careline, Any],
) -> None:
    careline, before = killed
    for lost in ("keyring", "openbao"):
        shutil.rmtree(careline.data_dir / lost)

    refused = careline.attempt("up", "--detach", seconds=UP_SECONDS)
    keyring = careline.json("keyring", "restore", "--json", seconds=UP_SECONDS)
    vault = careline.json("vault", "restore", "--json", seconds=UP_SECONDS)
    careline.run("up", "--detach", seconds=UP_SECONDS)
    careline.run("demo")
    status = careline.json("status", "--json")
    after = careline.json("keyring", "verify", "--json")

    assert refused.returncode == 1
    assert "restore" in refused.stderr
    assert keyring["contents"]["data_keys"] >= before["after"]["data_keys"] > 0
    assert (vault["opened"], vault["unopened"]) == (["demo"], [])
    assert {one["status"] for one in status["services"]} == {"SERVING"}
    assert status["keyring"] == {"synchronous": True}
    assert after["ok"], json.dumps(after)
