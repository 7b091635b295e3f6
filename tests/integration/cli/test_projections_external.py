"""`careline projections --external` with a service's environment and the owner's way to sign in."""

import json
from pathlib import Path

import pytest
from careline_cli.provision.vault import service_workload
from embedded import write_private
from integration.cli.conftest import External

ARGUMENTS = ("projections", "rebuild", "trail", "--service", "audit", "--external")
UNSERVED = {
    "NATS_URL": "nats://127.0.0.1:1",
    "GRPC_LISTEN": "127.0.0.1:1",
    "HEALTH_LISTEN": "127.0.0.1:2",
    "PEERS": "identity=127.0.0.1:3,conversations=127.0.0.1:3,routing=127.0.0.1:3,"
    "patient_context=127.0.0.1:3,federation=127.0.0.1:3",
}


@pytest.fixture
def environment(databases: External, tmp_path: Path) -> dict[str, str]:
    """Give what audit's pods are told, and what migrations sign in with."""
    databases.vault.workloads([service_workload("audit")], secret_id_uses=0)
    write_private(tmp_path / "audit-role-id", databases.vault.role_id("audit"))
    write_private(tmp_path / "audit-secret-id", databases.vault.secret_id("audit"))
    return {
        **UNSERVED,
        "OWNER_ROLE_ID_FILE": databases.environment["CARELINE_VAULT_ROLE_ID_FILE"],
        "OWNER_SECRET_ID_FILE": databases.environment["CARELINE_VAULT_SECRET_ID_FILE"],
        "VAULT_ROLE_ID_FILE": str(tmp_path / "audit-role-id"),
        "VAULT_SECRET_ID_FILE": str(tmp_path / "audit-secret-id"),
    }


async def test_a_read_model_is_rebuilt_and_switched_by_logins_that_vault_makes(
    databases: External, environment: dict[str, str]
) -> None:
    assert databases.migrate().returncode == 0

    rebuilt = databases.run(*ARGUMENTS, "--json", **environment)
    switched = databases.run("projections", "switch", *ARGUMENTS[2:], **environment)
    listed = databases.run("projections", "list", "--external", "--json", **environment)

    assert rebuilt.returncode == 0, rebuilt.stderr
    assert json.loads(rebuilt.stdout)["rebuilt"]["verified"] is True
    assert switched.returncode == 0, switched.stderr
    states = {
        one["build"]: one["state"]
        for one in json.loads(listed.stdout)["builds"]
        if one["projection"] == "trail"
    }
    assert states == {1: "kept", 2: "live"}


async def test_without_the_owners_way_to_sign_in_it_is_one_line(databases: External) -> None:
    refused = databases.run(*ARGUMENTS)

    assert refused.returncode == 1
    assert "CARELINE_OWNER_ROLE_ID_FILE" in refused.stderr.splitlines()[-1]


async def test_a_database_that_is_away_is_one_line(
    databases: External, environment: dict[str, str]
) -> None:
    elsewhere = environment | {"DATABASE": "postgresql:///elsewhere?host=/no"}
    refused = databases.run(*ARGUMENTS, **elsewhere)

    assert refused.returncode == 1
    assert "no connection to database elsewhere" in refused.stderr.splitlines()[-1]


async def test_a_database_that_was_not_migrated_is_one_line(
    databases: External, environment: dict[str, str]
) -> None:
    refused = databases.run(*ARGUMENTS, **environment)

    assert refused.returncode == 1
    assert "run careline migrate first" in refused.stderr.splitlines()[-1]
