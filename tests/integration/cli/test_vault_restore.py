"""Vault is lost: of a snapshot comes another, which services sign in to and which opens keys."""

import asyncio
import shutil
import sys
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import hvac
import pytest
from careline_cli.platform.app_role import AppRole, keep_app_role, kept_app_role, signed_in
from careline_cli.platform.data_directory import DataDirectory, DataDirectoryError
from careline_cli.platform.keyring_backup.standby import alone
from careline_cli.platform.running_platform import provision_anew
from careline_cli.platform.vault_access import VaultAccess
from careline_cli.platform.vault_restore import VaultRestoreRefused, restore_vault
from careline_cli.platform.vault_snapshots import (
    SnapshotRefused,
    kept_seal_key,
    require_vault,
    snapshots,
    take_snapshot,
)
from careline_cli.provision.provisioned import (
    KEYRING_DATABASE,
    Databases,
    migrate,
    superuser_engine,
)
from embedded import OpenBaoServer, PostgresServer, running
from hvac.exceptions import Forbidden
from runtime.service_names import SERVICES
from sqlalchemy import text

PLAINTEXT = "c2VjcmV0"  # base64 of "secret"


@dataclass(frozen=True)
class Running:
    access: VaultAccess
    databases: Databases
    url: str

    def as_service(self, service: str) -> hvac.Client:
        """Sign in as the service does: by a secret id that it unwraps."""
        admission = self.access.admit(service)
        client = hvac.Client(self.url, token=admission.wrapped_secret_id)
        secret_id = client.sys.unwrap()["data"]["secret_id"]
        return signed_in(self.url, AppRole(admission.role_id, secret_id))

    async def keep_tenant_key(self, tenant: str) -> None:
        client = self.as_service("conversations")
        sealed = client.secrets.transit.encrypt_data(f"tenant-{tenant}", PLAINTEXT)
        async with (
            superuser_engine(self.databases.keyring, KEYRING_DATABASE) as engine,
            engine.begin() as connection,
        ):
            await connection.execute(
                text(
                    "insert into keyring.tenant_key (tenant, version, wrapped) "
                    "values (:tenant, 1, :wrapped)"
                ),
                {"tenant": tenant, "wrapped": sealed["data"]["ciphertext"]},
            )


@asynccontextmanager
async def servers(data: DataDirectory) -> AsyncIterator[Running]:
    async with AsyncExitStack() as stack:
        platform = await stack.enter_async_context(running(PostgresServer(data.root / "postgres")))
        keyring = await stack.enter_async_context(running(alone(data)))
        vault = await stack.enter_async_context(running(OpenBaoServer(data.root / "openbao")))
        yield Running(VaultAccess(vault, data), Databases(platform, keyring), vault.url)


@pytest.fixture
async def data(tmp_path: Path) -> DataDirectory:
    """A provisioned platform with a tenant's key, stopped."""
    data = DataDirectory.of(tmp_path / "data")
    data.create()
    async with servers(data) as platform:
        await provision_anew(platform.access, platform.databases, lambda _: None)
        await migrate(platform.databases)
        await platform.keep_tenant_key("demo")
    return data


async def test_services_sign_in_to_a_restored_vault_and_it_opens_what_it_wrapped(
    data: DataDirectory,
) -> None:
    async with servers(data) as platform:
        ciphertext = platform.as_service("audit").secrets.transit.encrypt_data(
            "tenant-demo", PLAINTEXT
        )["data"]["ciphertext"]
        platform.as_service("routing").secrets.database.generate_credentials("routing")
    shutil.rmtree(data.root / "openbao")
    with pytest.raises(DataDirectoryError, match="careline vault restore"):
        require_vault(data)

    restored = await restore_vault(data, say=lambda _: None)

    assert restored.opened == ("demo",)
    assert restored.unopened == ()
    assert restored.dropped_logins == 1
    require_vault(data)
    async with servers(data) as platform:
        for service in SERVICES:
            client = platform.as_service(service)
            found = client.secrets.transit.decrypt_data("tenant-demo", ciphertext)
            assert found["data"]["plaintext"] == PLAINTEXT
            assert client.secrets.database.generate_credentials(service)["data"]["username"]


@pytest.mark.long
async def test_a_snapshot_from_before_a_key_was_made_is_said_to_open_too_little(
    data: DataDirectory,
) -> None:
    old = snapshots(data)[0].file
    async with servers(data) as platform:
        installer = await platform.access.privileged()
        installer.secrets.transit.create_key("tenant-newer", key_type="aes256-gcm96")
        await platform.keep_tenant_key("newer")
        newer = take_snapshot(data, platform.url, now=datetime.now(UTC)).file
    shutil.rmtree(data.root / "openbao")

    restored = await restore_vault(data, snapshot=old, say=lambda _: None)

    assert restored.opened == ("demo",)
    assert restored.unopened == ("newer",)
    with pytest.raises(DataDirectoryError, match=r"not wholly restored.*--from a newer"):
        require_vault(data)

    again = await restore_vault(data, snapshot=newer, say=lambda _: None)

    assert sorted(again.opened) == ["demo", "newer"]
    require_vault(data)


async def test_an_older_snapshot_is_of_use_after_another_provisioning(data: DataDirectory) -> None:
    oldest = snapshots(data)[-1].file
    async with servers(data) as platform:
        await provision_anew(platform.access, platform.databases, lambda _: None)
    shutil.rmtree(data.root / "openbao")

    restored = await restore_vault(data, snapshot=oldest, say=lambda _: None)

    assert restored.opened == ("demo",)
    async with servers(data) as platform:
        login = platform.as_service("routing").secrets.database.generate_credentials("routing")
        assert login["data"]["username"]


@pytest.mark.long
async def test_what_no_longer_signs_in_is_kept_anew(data: DataDirectory) -> None:
    async with servers(data) as platform:
        file = platform.access.app_role_file("operator")
        keep_app_role(file, AppRole(kept_app_role(file).role_id, "of another Vault"))
        await provision_anew(platform.access, platform.databases, lambda _: None)

        assert signed_in(platform.url, kept_app_role(file)).is_authenticated()


async def until(words: bytes, lines: asyncio.StreamReader) -> AsyncIterator[bytes]:
    """Give lines up to the one with these words."""
    async for line in lines:
        yield line
        if words in line:
            return


async def test_a_restore_killed_with_vault_in_its_place_goes_on_when_repeated(
    data: DataDirectory,
) -> None:
    shutil.rmtree(data.root / "openbao")
    command = (sys.executable, "-m", "careline_cli", "--data-dir", str(data.root))
    restoring = await asyncio.create_subprocess_exec(
        *command, "vault", "restore", stderr=asyncio.subprocess.PIPE
    )
    assert restoring.stderr is not None
    said = [line async for line in until(b"keys, policies and roles", restoring.stderr)]
    restoring.kill()
    await restoring.wait()
    assert b"keys, policies and roles" in said[-1]

    with pytest.raises(DataDirectoryError, match="not wholly restored"):
        require_vault(data)
    restored = await restore_vault(data, say=lambda _: None)

    assert restored.opened == ("demo",)
    require_vault(data)
    async with servers(data) as platform:
        for service in SERVICES:
            login = platform.as_service(service).secrets.database.generate_credentials(service)
            assert login["data"]["username"]


@pytest.mark.long
async def test_vault_comes_back_before_a_platform_database_that_is_lost_too(
    data: DataDirectory,
) -> None:
    shutil.rmtree(data.root / "openbao")
    shutil.rmtree(data.root / "postgres")
    said: list[str] = []

    restored = await restore_vault(data, say=said.append)

    assert restored.opened == ("demo",)
    assert any("careline restore" in line for line in said)
    async with servers(data) as platform:
        client = platform.as_service("routing")
        assert client.secrets.database.generate_credentials("routing")["data"]["username"]


async def test_a_snapshot_is_private_whole_and_one_of_the_newest(data: DataDirectory) -> None:
    now = datetime.now(UTC)
    async with servers(data) as platform:
        taken = [
            take_snapshot(data, platform.url, now=now + timedelta(days=day), keep=3)
            for day in range(4)
        ]
    found = snapshots(data)

    assert found == taken[:0:-1]
    assert {one.file.stat().st_mode & 0o777 for one in found} == {0o600}
    assert (data.root / "openbao" / "seal.key").read_text() == kept_seal_key(data).read_text()
    assert not list((data.backup / "vault").glob("*.key"))
    content = bytearray(found[0].file.read_bytes())
    content[100] ^= 1
    found[0].file.write_bytes(content)
    with pytest.raises(SnapshotRefused, match="not as it was taken"):
        found[0].content()


async def test_who_takes_snapshots_may_do_nothing_else(data: DataDirectory) -> None:
    async with servers(data) as platform:
        role = platform.access.app_role_file("snapshots")
        client = signed_in(platform.url, kept_app_role(role))
        with pytest.raises(Forbidden):
            client.secrets.transit.read_key("tenant-demo")
        with pytest.raises(Forbidden):
            client.sys.force_restore_raft_snapshot(b"")


async def test_a_vault_that_is_there_is_not_replaced_and_no_seal_key_is_said_so(
    data: DataDirectory,
) -> None:
    with pytest.raises(VaultRestoreRefused, match="there is a Vault"):
        await restore_vault(data, say=lambda _: None)
    shutil.rmtree(data.root / "openbao")
    kept_seal_key(data).unlink()

    with pytest.raises(VaultRestoreRefused, match="--seal-key"):
        await restore_vault(data, say=lambda _: None)
