"""Restores logs into the databases of a stopped platform's data directory."""

import asyncio
from collections.abc import Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass
from time import monotonic

from embedded import OpenBaoServer, PostgresServer
from eventstore.archive.errors import ArchiveError
from eventstore.archive.lineage import ends_of, read_lineage
from eventstore.archive.object_store import ArchiveStore
from eventstore.archive.overview import overview
from eventstore.archive.point import Point
from eventstore.archive.restore import LogDatabase, LogNotEmpty, Restored, TailWanted, restore
from eventstore.archive.signing import PublicKeys
from runtime.settings import StoreSettings
from sqlalchemy.ext.asyncio import AsyncEngine

from careline_cli.archive_keys import KeysOfLogs, keys_in_vault, keys_of
from careline_cli.command_error import CommandError
from careline_cli.console import Say
from careline_cli.platform.data_directory import DataDirectory
from careline_cli.platform.keyring_backup.standby import alone, require_keyring
from careline_cli.platform.running_platform import nats_of, provision_anew
from careline_cli.platform.supervisor import supervising
from careline_cli.platform.vault_access import VaultAccess
from careline_cli.platform.vault_snapshots import require_vault
from careline_cli.provision.external import explained, external_platform
from careline_cli.provision.postgres import service_schema
from careline_cli.provision.provisioned import (
    PLATFORM_DATABASE,
    Databases,
    migrate,
    superuser_engine,
)
from careline_cli.restored_log import RestoredLog, lines_of
from careline_cli.streams.access import StreamAccess
from careline_cli.streams.renewal import Renewal
from careline_cli.streams.while_restoring import OwnStreams, Streams
from careline_cli.streams.while_restoring import explained as stream_explained


class RestoreRefused(CommandError):
    """A log was not restored; the text says which and why."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """From where, whose logs, up to which point, and whether streams' tails are left alone."""

    store: ArchiveStore
    services: tuple[str, ...]
    until: Point
    archive_only: bool = False

    @property
    def leaves_out(self) -> bool:
        """Whether it was asked for that a log lacks what its stream has."""
        return self.archive_only or self.until is not None


async def restore_logs(
    data: DataDirectory, wanted: Wanted, keys: KeysOfLogs | None, say: Say
) -> list[RestoredLog]:
    """Start the databases, Vault and NATS, make what is missing of them, and restore each log.

    The keys are Vault's unless given. Raises RestoreRefused, StreamRefused, EmbeddedServerErrors,
    and DataDirectoryError while keyring or Vault are lost; what was restored before stays.
    """
    require_vault(data)
    require_keyring(data)
    async with supervising(say) as supervisor:
        databases = Databases(
            PostgresServer(data.root / "postgres"),
            alone(data),
        )
        vault = OpenBaoServer(data.root / "openbao")
        say("starting PostgreSQL, the keyring's PostgreSQL and OpenBao")
        await supervisor.start(databases.platform, databases.keyring, vault)
        access = VaultAccess(vault, data)
        operator = await provision_anew(access, databases, say)
        say("migrating")
        await migrate(databases)
        nats = nats_of(data, operator)
        say("starting NATS")
        await supervisor.start(nats)
        streams = OwnStreams(StreamAccess(databases.platform, nats.url, operator), data.left_out)
        if keys is None:
            keys = await asyncio.to_thread(keys_in_vault, data, vault.url, wanted.services)
        async with superuser_engine(databases.platform, PLATFORM_DATABASE) as engine:
            return await _restore_each(engine, wanted, keys, streams, say)


async def restore_external(
    settings: StoreSettings,
    wanted: Wanted,
    keys: KeysOfLogs,
    streams: Streams | None,
    say: Say,
) -> list[RestoredLog]:
    """Restore logs into a migrated database elsewhere; without `streams` from the archive alone.

    Raises RestoreRefused, StreamRefused and MigrationRefused.
    """
    async with external_platform(settings) as engine:
        return await _restore_each(engine, wanted, keys, streams, say)


async def _restore_each(
    engine: AsyncEngine,
    wanted: Wanted,
    keys: KeysOfLogs,
    streams: Streams | None,
    say: Callable[[str], None],
) -> list[RestoredLog]:
    restored = []
    for service in wanted.services:
        job = _LogRestore(engine, service, wanted, keys_of(keys, service), streams, say)
        try:
            with explained(service, "restored"), stream_explained(service):
                one = await job.run()
        except ArchiveError as error:
            raise RestoreRefused(f"{service}: {error}") from None
        if one is not None:
            restored.append(one)
    return restored


@dataclass(frozen=True, slots=True)
class _LogRestore:
    """One log, and after it its stream."""

    engine: AsyncEngine
    service: str
    wanted: Wanted
    keys: PublicKeys
    streams: Streams | None
    say: Callable[[str], None]

    async def run(self) -> RestoredLog | None:
        """Restore, and give None for what is restored already; raises RestoreRefused."""
        self.say(f"restoring the log of {self.service}")
        began = monotonic()
        try:
            restored = await self._restore()
        except LogNotEmpty as error:
            if not await _is_restored(self.wanted.store, self.service, error.epoch):
                raise RestoreRefused(f"{self.service}: {error}") from None
            self.say(f"the log of {self.service} is restored already")
            await self._settle(None)
            return None
        seconds = monotonic() - began
        self.say(
            f"{self.service}: {restored.events - restored.streamed} events from the archive, "
            f"{restored.streamed} from the stream in {seconds:.1f} s"
        )
        return RestoredLog(restored, await self._settle(restored.tail_ended), seconds)

    async def _restore(self) -> Restored:
        schema = service_schema(self.service)
        into = LogDatabase(self.engine, schema.name, schema.owner)
        async with AsyncExitStack() as stack:
            beyond = None
            if self.streams is not None:
                tail = await stack.enter_async_context(self.streams.tail(self.service))
                beyond = TailWanted(tail, taken=not self.wanted.archive_only)
            return await restore(
                self.wanted.store,
                self.service,
                self.keys,
                into,
                until=self.wanted.until,
                beyond=beyond,
            )

    async def _settle(self, ended: str | None) -> Renewal | None:
        if self.streams is None:
            return None
        self.say(f"{self.service}: looking after its stream")
        lineage = await read_lineage(self.wanted.store, self.service, self.keys)
        renewal = await self.streams.settle(
            self.service, ends_of(lineage), self.engine, leaves_out=self.wanted.leaves_out
        )
        for line in lines_of(self.service, renewal, ended):
            self.say(line)
        return renewal


async def _is_restored(store: ArchiveStore, service: str, epoch: int) -> bool:
    """Tell whether a log is of an epoch that its archive does not have yet: a restore began it."""
    archived = await overview(store, service)
    return archived is not None and epoch > archived.epoch
