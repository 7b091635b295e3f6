"""A database as its administrator hands it over, and Vault making the logins to it."""

import os
import secrets
import subprocess
import sys
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import pytest
import sealing.keyring.migrate
from careline_cli.provision import external
from careline_cli.provision import postgres as provisioning
from careline_cli.provision.vault import DatabaseConnection, VaultProvisioner, own_workload
from conftest import CreateDatabase, Database, OpenBao
from embedded import PostgresServer, write_private
from runtime.service_names import SERVICES
from sqlalchemy import text

SCHEMAS = (*map(provisioning.service_schema, SERVICES), provisioning.keyring_schema())
LOGIN_OF_A_SERVICE = "audit"
"""Of the services, one has logins of its own."""
OWNERS = tuple(schema.owner for schema in SCHEMAS)


@dataclass(frozen=True)
class External:
    """What the migrations job finds. One database serves for both here, as one server does."""

    database: Database
    address: str
    vault: VaultProvisioner
    environment: dict[str, str]

    def migrate(self, *options: str, **changes: str) -> subprocess.CompletedProcess[str]:
        return self.run("migrate", *options, **changes)

    def run(self, *arguments: str, **changes: str) -> subprocess.CompletedProcess[str]:
        settings = {f"CARELINE_{name}": value for name, value in changes.items()}
        return subprocess.run(
            (sys.executable, "-m", "careline_cli", *arguments),
            capture_output=True,
            text=True,
            timeout=100,
            check=False,
            env={"PATH": os.defpath, **self.environment, **settings},
        )

    async def hand_over(self, members_of: tuple[str, ...]) -> None:
        """Make roles and schemas as a superuser; logins that Vault makes are members of these."""
        password = secrets.token_urlsafe(16)
        name, engine, admin = self.database.name, self.database.engine, provisioning.VAULT_ADMIN
        await sealing.keyring.migrate.prepare(engine)
        await provisioning.create_roles(engine, name, SCHEMAS, password)
        async with engine.begin() as connection:
            for owner in OWNERS:
                await connection.execute(text(f"grant {owner} to {admin} with admin option"))
        url = self.address.replace("///", "//{{username}}:{{password}}@/")
        logins: dict[str, tuple[str, ...]] = {
            LOGIN_OF_A_SERVICE: (f"{LOGIN_OF_A_SERVICE}_runtime",),
            f"keyring-{LOGIN_OF_A_SERVICE}": ("keyring_runtime",),
        }
        self.vault.database(
            DatabaseConnection(name, url, admin, password),
            dict.fromkeys((external.LOGIN, external.KEYRING_LOGIN), members_of) | logins,
        )


@pytest.fixture
async def databases(
    create_database: CreateDatabase, postgres: PostgresServer, openbao: OpenBao, tmp_path: Path
) -> AsyncIterator[External]:
    vault = VaultProvisioner(openbao.client())
    vault.mounts()
    vault.workloads([own_workload("migrations")], secret_id_uses=0)
    write_private(tmp_path / "role-id", vault.role_id("migrations"))
    write_private(tmp_path / "secret-id", vault.secret_id("migrations"))
    async with create_database() as database:
        address = f"postgresql:///{database.name}?host={postgres.socket_dir}"
        settings = {
            "DATABASE": address,
            "KEYRING_DATABASE": address,
            "VAULT_ADDRESS": openbao.url,
            "VAULT_ROLE_ID_FILE": str(tmp_path / "role-id"),
            "VAULT_SECRET_ID_FILE": str(tmp_path / "secret-id"),
        }
        environment = {f"CARELINE_{name}": value for name, value in settings.items()}
        handed_over = External(database, address, vault, environment)
        await handed_over.hand_over(OWNERS)
        yield handed_over
