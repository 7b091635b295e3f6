"""Brings a lost Vault back from a snapshot."""

import asyncio
import base64
import shutil
from dataclasses import dataclass
from pathlib import Path

import hvac
import requests
from embedded import OpenBaoServer, PostgresServer, running, write_private
from hvac.exceptions import VaultError
from sqlalchemy import text

from careline_cli.command_error import CommandError
from careline_cli.console import Say
from careline_cli.platform.app_role import VAULT_SECONDS, AppRole, signed_in
from careline_cli.platform.data_directory import DataDirectory
from careline_cli.platform.keyring_backup.standby import alone, keyring_server
from careline_cli.platform.running_platform import provision_anew
from careline_cli.platform.vault_access import VaultAccess
from careline_cli.platform.vault_snapshots import (
    Snapshot,
    kept_seal_key,
    restore_snapshot,
    snapshots,
    unfinished_restore,
)
from careline_cli.provision.postgres import drop_logins
from careline_cli.provision.provisioned import KEYRING_DATABASE, Databases, superuser_engine

READER = "conversations"
"""A service: who may open tenant keys."""


class VaultRestoreRefused(CommandError):
    """Vault was not restored; the text says why."""


@dataclass(frozen=True, slots=True)
class RestoredVault:
    """From which snapshot; tenants whose newest key it opens, and those whose it does not; how
    many logins to databases were dropped that Vault may know nothing of.
    """

    snapshot: str
    opened: tuple[str, ...]
    unopened: tuple[str, ...]
    dropped_logins: int


async def restore_vault(
    data: DataDirectory, *, snapshot: Path | None = None, seal_key: Path | None = None, say: Say
) -> RestoredVault:
    """Make a new Vault of a stopped platform out of a snapshot, the newest unless said.

    What it finds wanting in Vault and both databases it provisions anew, unless a tenant's key does
    not open: then, and when it is broken off, no start takes the Vault until a repetition is done.
    Raises VaultRestoreRefused, SnapshotRefused and EmbeddedServerError.
    """
    place = data.root / "openbao"
    if (place / "raft").exists() and not unfinished_restore(data).exists():
        raise VaultRestoreRefused(
            f"there is a Vault in {place}; if it is lost, set it aside: mv {place} {place}.lost"
        )
    keyring_server(data)  # refuses while the keyring is lost, too: it would be made anew below
    chosen = _chosen(data, snapshot)
    say(f"restoring {chosen.file.name}")
    await _recover(data, chosen, seal_key)
    databases = Databases(PostgresServer(data.root / "postgres"), alone(data))
    if not databases.platform.cluster.exists():
        say("the platform's database is not there: bring it back next, with: careline restore")
    vault = OpenBaoServer(place)
    async with running(databases.platform), running(databases.keyring), running(vault):
        access = VaultAccess(vault, data)
        opened, unopened = await _open_tenant_keys(access, vault.url, databases.keyring)
        dropped = await _drop_logins(databases)
        if not unopened:
            await _provision(access, databases, say)
            unfinished_restore(data).unlink()
    return RestoredVault(chosen.file.name, opened, unopened, dropped)


def _chosen(data: DataDirectory, asked: Path | None) -> Snapshot:
    if asked is not None:
        return Snapshot(asked)
    kept = snapshots(data)
    if not kept:
        raise VaultRestoreRefused(f"there is no snapshot in {data.backup / 'vault'}; give --from")
    return kept[0]


async def _recover(data: DataDirectory, snapshot: Snapshot, seal_key: Path | None) -> None:
    """Restore into a new Vault in its place: where its audit log lies is part of the snapshot.

    A mark says that it is not done; a run that finds it begins anew. Only the next start shows
    that the seal key opens what was restored.
    """
    content = await asyncio.to_thread(snapshot.content)
    place = data.root / "openbao"
    await asyncio.to_thread(_prepare, data, seal_key or kept_seal_key(data))
    async with running(OpenBaoServer(place)) as server:
        given = await server.initialize()
        client = hvac.Client(server.url, token=given.root_token, timeout=VAULT_SECONDS)
        await asyncio.to_thread(restore_snapshot, client, content)


def _prepare(data: DataDirectory, seal_key: Path) -> None:
    try:
        key = seal_key.read_text(encoding="ascii")
    except (OSError, UnicodeDecodeError) as error:
        raise VaultRestoreRefused(
            f"the seal key can not be read from {seal_key} ({type(error).__name__}); give it by "
            "--seal-key"
        ) from None
    place = data.root / "openbao"
    place.mkdir(mode=0o700, exist_ok=True)
    unfinished_restore(data).touch(mode=0o600)
    if (place / "raft").exists():
        shutil.rmtree(place / "raft")
    write_private(place / "seal.key", key)


async def _open_tenant_keys(
    access: VaultAccess, url: str, keyring: PostgresServer
) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Unwrap each tenant's newest key as a service would; gives those it opens and the others."""
    newest = text(
        "select distinct on (tenant) tenant, wrapped from keyring.tenant_key "
        "order by tenant, version desc"
    )
    async with superuser_engine(keyring, KEYRING_DATABASE) as engine, engine.connect() as session:
        rows = (await session.execute(newest)).all()
    wrapped = {row.tenant: row.wrapped for row in rows}
    opens = await asyncio.to_thread(_opens, access, url, wrapped)
    unopened = tuple(tenant for tenant in wrapped if tenant not in opens)
    return tuple(opens), unopened


def _opens(access: VaultAccess, url: str, wrapped: dict[str, str]) -> list[str]:
    try:
        provisioner = access.provisioner()
        role = AppRole(provisioner.role_id(READER), provisioner.secret_id(READER))
        provisioner.revoke_own_token()
        client = signed_in(url, role)
    except (VaultError, requests.RequestException, FileNotFoundError) as error:
        raise VaultRestoreRefused(
            f"the provisioner can not sign in to the restored Vault ({type(error).__name__}): the "
            "snapshot is older than its secret id; restore a newer one"
        ) from None
    opened = []
    for tenant, ciphertext in wrapped.items():
        try:
            answer = client.secrets.transit.decrypt_data(f"tenant-{tenant}", ciphertext)
        except VaultError:
            continue  # absent, or of a version that the snapshot does not have
        base64.b64decode(answer["data"]["plaintext"], validate=True)
        opened.append(tenant)
    client.auth.token.revoke_self()
    return opened


async def _provision(access: VaultAccess, databases: Databases, say: Say) -> None:
    """Give Vault its way into the databases anew: the snapshot may have an earlier password."""
    try:
        await provision_anew(access, databases, say)
    except (VaultError, requests.RequestException) as error:
        raise VaultRestoreRefused(
            f"the restored Vault could not be provisioned ({type(error).__name__}); restore a "
            "newer snapshot"
        ) from None


async def _drop_logins(databases: Databases) -> int:
    """Drop every login that Vault made: nobody uses one while the platform is stopped, and those
    from after the snapshot would be nobody's for ever.
    """
    dropped = 0
    for server in (databases.platform, databases.keyring):
        # Logins are the whole server's, and a new one has no other database yet.
        async with superuser_engine(server, "postgres") as engine, engine.begin() as connection:
            dropped += await drop_logins(connection)
    return dropped
