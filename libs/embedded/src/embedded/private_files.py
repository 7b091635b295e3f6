"""Files and folders that only their owner may read, written whole or not at all."""

import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from embedded.account import Account


def private_folder(folder: Path, account: Account | None = None) -> None:
    """Make the folder if absent, durably, close it to others, give it to the account."""
    made = [one for one in (folder, *folder.parents) if not one.exists()]
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    folder.chmod(0o700)
    if account is not None:
        os.chown(folder, account.uid, account.gid)
    for one in made:
        sync_folder(one.parent)


def write_private(file: Path, content: str | bytes, account: Account | None = None) -> None:
    """Replace the file by one of mode 0600, durably: a crash leaves the old content or the new."""
    with writing_private(file, account) as stream:
        stream.write(content.encode() if isinstance(content, str) else content)


@contextmanager
def writing_private(file: Path, account: Account | None = None) -> Iterator[BinaryIO]:
    """As `write_private` what is written to the stream; if that fails the old content stays."""
    new = file.with_name(f"{file.name}.new")
    new.unlink(missing_ok=True)
    descriptor = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "wb") as stream:
        if account is not None:
            os.fchown(descriptor, account.uid, account.gid)
        yield stream
        stream.flush()
        os.fsync(descriptor)
    new.replace(file)
    sync_folder(file.parent)


def open_log(file: Path) -> int:
    """Open a file to append to, which its owner alone may read; returns the descriptor."""
    flags = os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC
    return os.open(file, flags, 0o600)


def sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def random_secret() -> str:
    """32 random bytes as text that needs no quoting anywhere."""
    return secrets.token_urlsafe(32)
