"""What holds for every data directory: one server at a time, and space on its disk."""

import asyncio
import errno
import fcntl
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from embedded.errors import DataDirInUse, DataDirNotOurs, DiskFull
from embedded.polling import until

MB = 1 << 20
# A fresh PostgreSQL takes 40 MB, and no server here is well with less.
NEEDED_MB = 64
# A server that was killed needs a moment to end, and so do its helper processes.
PREDECESSOR_SECONDS = 10.0
LOCK_FLAGS = os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC


async def lock_data_dir(server: str, folder: Path, *, within: float = PREDECESSOR_SECONDS) -> int:
    """Make the folder if absent and lock it; returns the descriptor that holds the lock.

    The lock lasts as long as a copy of the descriptor is open anywhere: a server that inherits it
    holds it until its last process has ended. Raises DataDirNotOurs, and DataDirInUse when the
    holder does not end `within` seconds.
    """
    descriptor = open_lock(server, folder)
    locked = False

    async def try_lock() -> bool:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True

    try:
        async with asyncio.timeout(within):
            await until(try_lock)
        locked = True
    except TimeoutError:
        raise DataDirInUse(server, folder) from None
    finally:
        if not locked:
            os.close(descriptor)
    return descriptor


def open_lock(server: str, folder: Path) -> int:
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        return os.open(folder / "lock", LOCK_FLAGS, 0o600)
    except PermissionError:
        raise DataDirNotOurs(server, folder) from None


def require_space(server: str, folder: Path) -> None:
    free_mb = shutil.disk_usage(folder).free // MB
    if free_mb < NEEDED_MB:
        raise DiskFull(server, folder, free_mb, NEEDED_MB)


@contextmanager
def full_disk_said_so(server: str, folder: Path) -> Iterator[None]:
    """Turn the system's error for a full disk, or a used-up quota, into DiskFull."""
    try:
        yield
    except OSError as error:
        if error.errno not in (errno.ENOSPC, errno.EDQUOT):
            raise
        free_mb = shutil.disk_usage(folder).free // MB
        raise DiskFull(server, folder, free_mb, NEEDED_MB) from None
