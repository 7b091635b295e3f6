"""Restores logs into the databases of a stopped platform's data directory."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass

from embedded import OpenBaoServer, PostgresServer
from eventstore.archive.errors import ArchiveError
from eventstore.archive.object_store import ArchiveStore
from eventstore.archive.overview import overview
from eventstore.archive.point import Point
from eventstore.archive.restore import LogDatabase, LogNotEmpty, Restored, restore
from runtime.settings import StoreSettings
from sqlalchemy.ext.asyncio import AsyncEngine

from careline_cli.archive_keys import KeysOfLogs, keys_in_vault, keys_of
from careline_cli.command_error import CommandError
from careline_cli.platform.data_directory import DataDirectory
from careline_cli.platform.running_platform import Say, provision_anew
from careline_cli.platform.supervisor import supervising
from careline_cli.platform.vault_access import VaultAccess
from careline_cli.provision.external import explained, external_platform
from careline_cli.provision.postgres import service_schema
from careline_cli.provision.provisioned import (
    PLATFORM_DATABASE,
    Databases,
    migrate,
    superuser_engine,
)


class RestoreRefused(CommandError):
    """A log was not restored; the text says which and why."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """From where, whose logs, and up to which point."""

    store: ArchiveStore
    services: tuple[str, ...]
    until: Point


async def restore_logs(
    data: DataDirectory, wanted: Wanted, keys: KeysOfLogs | None, say: Say
) -> list[Restored]:
    """Start the databases and Vault, make what is missing of them, and restore each log.

    The keys are Vault's unless given. Raises RestoreRefused and EmbeddedServerErrors; what was
    restored before stays.
    """
    async with supervising(say) as supervisor:
        databases = Databases(
            PostgresServer(data.root / "postgres"),
            PostgresServer(data.root / "keyring", name="keyring"),
        )
        vault = OpenBaoServer(data.root / "openbao")
        say("starting PostgreSQL, the keyring's PostgreSQL and OpenBao")
        await supervisor.start(databases.platform, databases.keyring, vault)
        access = VaultAccess(vault, data)
        await provision_anew(access, databases, say)
        say("migrating")
        await migrate(databases)
        if keys is None:
            keys = await asyncio.to_thread(keys_in_vault, data, vault.url, wanted.services)
        async with superuser_engine(databases.platform, PLATFORM_DATABASE) as engine:
            return await _restore_each(engine, wanted, keys, say)


async def restore_external(
    settings: StoreSettings, wanted: Wanted, keys: KeysOfLogs, say: Say
) -> list[Restored]:
    """Restore logs into a migrated database elsewhere; raises RestoreRefused, MigrationRefused."""
    async with external_platform(settings) as engine:
        return await _restore_each(engine, wanted, keys, say)


async def _restore_each(
    engine: AsyncEngine, wanted: Wanted, keys: KeysOfLogs, say: Callable[[str], None]
) -> list[Restored]:
    restored = []
    for service in wanted.services:
        say(f"restoring the log of {service}")
        schema = service_schema(service)
        into = LogDatabase(engine, schema.name, schema.owner)
        try:
            with explained(service, "restored"):
                one = await restore(
                    wanted.store, service, keys_of(keys, service), into, until=wanted.until
                )
        except LogNotEmpty as error:
            if not await _is_restored(wanted.store, service, error.epoch):
                raise RestoreRefused(f"{service}: {error}") from None
            say(f"the log of {service} is restored already")
        except ArchiveError as error:
            raise RestoreRefused(f"{service}: {error}") from None
        else:
            restored.append(one)
    return restored


async def _is_restored(store: ArchiveStore, service: str, epoch: int) -> bool:
    """Tell whether a log is of an epoch that its archive does not have yet: a restore began it."""
    archived = await overview(store, service)
    return archived is not None and epoch > archived.epoch
