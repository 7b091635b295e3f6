"""Starts a platform in order, and stops it: servers, what is provisioned, services."""

import asyncio
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from embedded import NatsServer, NatsTrust, OpenBaoServer, PostgresServer
from embedded.local_ports import HOST, LocalPorts
from messaging.accounts import AccountLimits, NatsOperator
from runtime.service_names import SERVICES

from careline_cli.console import Say
from careline_cli.platform.data_directory import Addresses, DataDirectory
from careline_cli.platform.keyring_backup.base_backup import take_base
from careline_cli.platform.keyring_backup.folder import BackupFolder
from careline_cli.platform.keyring_backup.receiver import WalReceiver
from careline_cli.platform.keyring_backup.restore import (
    is_to_be_reapplied,
    reapply_restored,
    settle_restored,
)
from careline_cli.platform.keyring_backup.standby import keyring_server, let_in
from careline_cli.platform.service_process import ServiceProcess
from careline_cli.platform.service_settings import service_settings
from careline_cli.platform.supervisor import Supervisor, supervising
from careline_cli.platform.vault_access import VaultAccess
from careline_cli.platform.vault_snapshots import require_vault
from careline_cli.provision import nats
from careline_cli.provision.provisioned import (
    PEOPLE,
    Databases,
    consumptions,
    is_current,
    migrate,
    provision,
)
from careline_cli.provision.vault import VaultProvisioner
from careline_cli.tenant import DEMO_TENANT


@dataclass(frozen=True, slots=True)
class Servers:
    """The servers of other makers that the services stand on."""

    databases: Databases
    vault: OpenBaoServer


@asynccontextmanager
async def running_platform(data: DataDirectory, say: Say) -> AsyncIterator[Addresses]:
    """Run everything on a data directory until the context ends; serving on entry.

    Raises EmbeddedServerError (also in groups) and DataDirectoryError, each with one line to show.
    """
    require_vault(data)
    async with supervising(say) as supervisor:
        servers = Servers(
            Databases(PostgresServer(data.root / "postgres"), keyring_server(data)),
            OpenBaoServer(data.root / "openbao"),
        )
        settle_restored(data)
        say("starting PostgreSQL, the keyring's PostgreSQL and OpenBao")
        await supervisor.start(servers.databases.platform, servers.databases.keyring, servers.vault)
        backups = BackupFolder.of(data)
        await let_in(servers.databases.keyring)
        await supervisor.start(WalReceiver(servers.databases.keyring, backups))
        access = VaultAccess(servers.vault, data)
        operator = await _provisioned(access, servers.databases, say)
        say("migrating")
        await migrate(servers.databases)
        if is_to_be_reapplied(data):
            await reapply_restored(data, servers.databases, say)
        if backups.all():
            # Those of a keyring before a restore: none of them would give back a key made from now.
            await _first_base(servers.databases.keyring, backups, say)
        async with asyncio.TaskGroup() as group:
            group.create_task(_first_base(servers.databases.keyring, backups, say))
            nats_server = nats_of(data, operator)
            say("starting NATS")
            await supervisor.start(nats_server)
            streams = await nats.make_streams(operator, nats_server.url, SERVICES, consumptions())
            for drift in streams:
                say(f"nats: {drift.name} has {drift.field} {drift.actual}, not {drift.wanted}")
            addresses = await _start_services(supervisor, data, servers, nats_server, access, say)
        yield addresses


async def _first_base(keyring: PostgresServer, backups: BackupFolder, say: Say) -> None:
    """Take the base backup that the keyring's log goes on from, unless there is one."""
    if backups.current():
        return
    say("keyring: taking a base backup")
    await asyncio.to_thread(take_base, keyring, backups, datetime.now(UTC))


async def _provisioned(access: VaultAccess, databases: Databases, say: Say) -> NatsOperator:
    """Provision what this version needs, unless it is there; gives NATS's operator."""
    try:
        vault = await asyncio.to_thread(access.provisioner)
        if await asyncio.to_thread(is_current, vault):
            return await asyncio.to_thread(nats.kept_operator, vault)
    except FileNotFoundError:
        say("vault: initialising")
    return await provision_anew(access, databases, say)


async def provision_anew(access: VaultAccess, databases: Databases, say: Say) -> NatsOperator:
    """Make what is missing in Vault and in both databases; gives NATS's operator."""
    client = await access.privileged()
    await provision(client, databases, tenants=(DEMO_TENANT,), say=say)
    vault = VaultProvisioner(client)
    for workload in PEOPLE:
        await asyncio.to_thread(access.keep, vault, workload)
    operator = await asyncio.to_thread(nats.kept_operator, vault)
    await asyncio.to_thread(access.surrender, vault)
    say("vault: taking a snapshot")
    await asyncio.to_thread(access.snapshot)
    return operator


def nats_of(data: DataDirectory, operator: NatsOperator) -> NatsServer:
    """Give NATS on the data directory, which trusts the operator's accounts."""
    return NatsServer(data.root / "nats", _trust(operator))


def _trust(operator: NatsOperator) -> NatsTrust:
    return NatsTrust(
        operator.operator_jwt(),
        operator.system.public,
        {
            operator.system.public: operator.account_jwt(operator.system, limits=AccountLimits()),
            operator.platform.public: operator.platform_jwt(),
        },
    )


async def _start_services(
    supervisor: Supervisor,
    data: DataDirectory,
    servers: Servers,
    nats_server: NatsServer,
    access: VaultAccess,
    say: Say,
) -> Addresses:
    ports = {service: _ports(data.services / service, service) for service in SERVICES}
    targets = {service: f"{HOST}:{one['grpc']}" for service, one in ports.items()}
    health = {service: f"{HOST}:{one['health']}" for service, one in ports.items()}
    addresses = Addresses(os.getpid(), servers.vault.url, nats_server.url, targets, health)
    say(f"starting {', '.join(SERVICES)}")
    await supervisor.start(
        *(
            ServiceProcess(
                service,
                data_dir=data.services / service,
                log_file=data.logs / f"{service}.log",
                settings=service_settings(data, addresses, service),
                health_address=health[service],
                admit=access.admit,
            )
            for service in SERVICES
        )
    )
    return addresses


def _ports(folder: Path, service: str) -> LocalPorts:
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    ports = LocalPorts(service, folder / "ports.json", {"grpc": None, "health": None})
    ports.settle()
    return ports
