"""Whether a committed key is on two disks, and what a lost keyring would come back from."""

from dataclasses import dataclass

from eventstore.postgres.server_errors import SERVER_ERRORS
from sqlalchemy.exc import SQLAlchemyError

from careline_cli.platform.data_directory import DataDirectory
from careline_cli.platform.keyring_backup.folder import BackupFolder
from careline_cli.platform.keyring_backup.standby import StandbyState, keyring_server, standby_state
from careline_cli.provision.provisioned import superuser_engine


@dataclass(frozen=True, slots=True)
class KeyringStatus:
    """`received` is up to where (an LSN) the log is on the other disk; None when nobody writes it.

    Unless `synchronous`, new keys are refused after the services' time limit. `disks` is 1 where
    keyring and backups share one.
    """

    synchronous: bool
    received: str | None
    lag_bytes: int | None
    newest_base: str | None
    bases: int
    disks: int


async def keyring_status(data: DataDirectory) -> KeyringStatus:
    """Look at a running platform's keyring; raises DataDirectoryError where none runs."""
    data.addresses()
    backups = BackupFolder.of(data)
    state = await standby_of(data)
    bases = backups.current()
    devices = {
        folder.stat().st_dev for folder in (data.root / "keyring", backups.root) if folder.exists()
    }
    return KeyringStatus(
        state.synchronous,
        state.received,
        state.lag_bytes,
        bases[0].folder.name if bases else None,
        len(bases),
        len(devices),
    )


async def standby_of(data: DataDirectory) -> StandbyState:
    """Give what a running keyring says; one that is away has no standby."""
    try:
        async with superuser_engine(keyring_server(data), "postgres") as engine:
            return await standby_state(engine)
    except (OSError, SQLAlchemyError, *SERVER_ERRORS):
        return StandbyState(synchronous=False, received=None, lag_bytes=None)
