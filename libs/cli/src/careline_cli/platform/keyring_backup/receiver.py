"""pg_receivewal as a process to supervise: the keyring's synchronous standby."""

import signal

from embedded import Command, PostgresServer, Progress, launched, silent
from embedded.polling import until
from embedded.postgres_tools import ENVIRONMENT, postgres_tool
from embedded.private_files import private_folder
from eventstore.postgres.server_errors import SERVER_ERRORS
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncEngine

from careline_cli.platform.keyring_backup.folder import PARTIAL, SEGMENT_BYTES, BackupFolder
from careline_cli.platform.keyring_backup.standby import SLOT, STANDBY, PasswordFile, standby_state
from careline_cli.provision.provisioned import superuser_engine


class WalReceiver:
    """Writes and fsyncs the keyring's log as it comes, and says so before a commit is answered."""

    name = "keyring-wal"
    stop_signal = signal.SIGINT

    def __init__(self, keyring: PostgresServer, backups: BackupFolder) -> None:
        self.data_dir = backups.root
        self.log_file = backups.log_file
        self._keyring = keyring
        self._backups = backups

    def prepare(self, progress: Progress = silent) -> None:  # noqa: ARG002 - nothing takes a while
        self._backups.create()
        account = self._keyring.account()
        for folder in (self._backups.root, self._backups.wal, self._backups.bases):
            private_folder(folder, account)
        for file in self._backups.wal.glob(f"*{PARTIAL}"):
            # A segment has its full size before its first byte is written: one that is shorter, as
            # a kill or a full disk leaves it, holds nothing, and the receiver would refuse it.
            if file.stat().st_size != SEGMENT_BYTES:
                file.unlink()

    def command(self) -> Command:
        argv = (
            str(postgres_tool("pg_receivewal")),
            *("--directory", str(self._backups.wal), "--slot", SLOT),
            # Ends when the keyring does: who supervises it tries again sooner than it would.
            *("--synchronous", "--no-loop", "--no-password"),
        )
        own = {**PasswordFile(self._keyring).environment, "PGAPPNAME": STANDBY}
        return Command(
            launched(argv, stop_signal=self.stop_signal, account=self._keyring.account()),
            env={**ENVIRONMENT, **own},
            cwd=self.data_dir,
        )

    async def wait_ready(self) -> None:
        """Return once commits wait for it and it confirms them."""
        async with superuser_engine(self._keyring, "postgres") as engine:
            await until(lambda: _is_synchronous(engine))

    def release(self) -> None:
        """Nothing lies outside the folder."""


async def _is_synchronous(engine: AsyncEngine) -> bool:
    try:
        return (await standby_state(engine)).synchronous
    except (OSError, SQLAlchemyError, *SERVER_ERRORS):
        return False
