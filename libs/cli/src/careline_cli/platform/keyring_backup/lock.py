"""One at a time of those that take, let go or rehearse the keyring's backups."""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager

from careline_cli.command_error import CommandError
from careline_cli.platform.keyring_backup.folder import BackupFolder

_FLAGS = os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC


class BackupsInUse(CommandError):
    """Another command works on the same backups."""

    def __init__(self, backups: BackupFolder) -> None:
        super().__init__(
            f"another command backs the keyring up or verifies its backups in {backups.root}; try "
            "again when it has ended"
        )


@contextmanager
def held(backups: BackupFolder) -> Iterator[None]:
    """Hold the backups until the context ends; raises BackupsInUse and DataDirNotOurs."""
    backups.create()
    # `lock` is the receiver's.
    descriptor = os.open(backups.root / "backup.lock", _FLAGS, 0o600)
    try:
        if not _locked(descriptor):
            raise BackupsInUse(backups)
        yield
    finally:
        os.close(descriptor)


def _locked(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
