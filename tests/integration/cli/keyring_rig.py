"""A keyring as a platform runs it, whose server and receiver a test kills."""

import os
import signal
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime

import sealing.keyring.migrate
from careline_cli.platform.data_directory import DataDirectory
from careline_cli.platform.keyring_backup.base_backup import take_base
from careline_cli.platform.keyring_backup.folder import BackupFolder, Base
from careline_cli.platform.keyring_backup.receiver import WalReceiver
from careline_cli.platform.keyring_backup.restore import settle_restored
from careline_cli.platform.keyring_backup.standby import alone, keyring_server, let_in
from careline_cli.provision.postgres import create_database
from careline_cli.provision.provisioned import KEYRING_DATABASE, superuser_engine
from conftest import OpenBao, superuser_url
from embedded import PostgresServer, ServerProcess, running
from integration.sealing.transit import HvacTransit
from sealing.keyring import Keyring, Limits
from sqlalchemy.ext.asyncio import create_async_engine


@dataclass(frozen=True)
class RunningKeyring:
    """Both processes, and the folder that the receiver writes to."""

    server: PostgresServer
    process: ServerProcess
    receiver: ServerProcess
    backups: BackupFolder

    def take_base(self) -> Base:
        return take_base(self.server, self.backups, datetime.now(UTC))

    async def kill(self) -> None:
        """SIGKILL the server, and let the receiver end."""
        os.kill(self.process.pid, signal.SIGKILL)
        await self.process.ended()
        await self.receiver.stop()


@asynccontextmanager
async def running_keyring(data: DataDirectory) -> AsyncIterator[RunningKeyring]:
    """Start as a platform does: server, way in, receiver, schema."""
    data.create()
    server, backups = keyring_server(data), BackupFolder.of(data)
    settle_restored(data)
    async with AsyncExitStack() as stack:
        process = await ServerProcess.start(server)
        stack.push_async_callback(process.stop)
        await process.ready()
        await let_in(server)
        receiver = await start_receiver(server, backups)
        stack.push_async_callback(receiver.stop)
        async with superuser_engine(server, "postgres") as administration:
            await create_database(administration, KEYRING_DATABASE)
        async with superuser_engine(server, KEYRING_DATABASE) as engine:
            await sealing.keyring.migrate.prepare(engine)
            await sealing.keyring.migrate.migrate(engine)
        yield RunningKeyring(server, process, receiver, backups)


async def start_receiver(server: PostgresServer, backups: BackupFolder) -> ServerProcess:
    receiver = await ServerProcess.start(WalReceiver(server, backups))
    await receiver.ready()
    return receiver


@asynccontextmanager
async def keys(
    server: PostgresServer, openbao: OpenBao, limits: Limits | None = None
) -> AsyncIterator[Keyring]:
    """Give a process's keyring, which has cached nothing."""
    engine = create_async_engine(superuser_url(server, KEYRING_DATABASE))
    try:
        async with Keyring(engine, HvacTransit(openbao.client()), limits=limits) as keyring:
            yield keyring
    finally:
        await engine.dispose()


@asynccontextmanager
async def restored_keys(data: DataDirectory, openbao: OpenBao) -> AsyncIterator[Keyring]:
    """Run a restored keyring by itself."""
    async with running(alone(data)) as server, keys(server, openbao) as keyring:
        yield keyring
