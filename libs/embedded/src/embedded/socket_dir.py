"""The folder of a Unix socket: in the data directory, unless its path would be too long."""

import os
import shutil
import stat
import tempfile
from hashlib import sha256
from pathlib import Path

from embedded.account import Account
from embedded.errors import DataDirNotOurs, PathTooLong
from embedded.private_files import private_folder

# sockaddr_un holds 108 bytes, the last of them zero (unix(7)).
SOCKET_PATH_BYTES = 107


def choose_socket_dir(server: str, data_dir: Path, socket_name: str) -> Path:
    """Choose the same folder at every run; PathTooLong when the temporary folder is no help."""
    inside = data_dir / "socket"
    if usable(inside / socket_name):
        return inside
    digest = sha256(os.fsencode(data_dir)).hexdigest()[:16]
    outside = Path(tempfile.gettempdir()) / f"careline-{digest}"
    if usable(outside / socket_name):
        return outside
    raise PathTooLong(server, outside.parent)


def usable(socket: Path) -> bool:
    # Drivers read a comma as the end of one host and the beginning of the next.
    return len(os.fsencode(socket)) <= SOCKET_PATH_BYTES and "," not in str(socket)


def make_socket_dir(server: str, folder: Path, account: Account | None) -> None:
    """Make the folder; one that another user placed at its path beforehand is refused."""
    owner = os.geteuid() if account is None else account.uid
    try:
        status = folder.lstat()
    except FileNotFoundError:
        private_folder(folder, account)
        return
    if not stat.S_ISDIR(status.st_mode) or status.st_uid != owner:
        raise DataDirNotOurs(server, folder)
    folder.chmod(0o700)


def remove_socket_dir(folder: Path, data_dir: Path) -> None:
    if not folder.is_relative_to(data_dir) and folder.exists():
        shutil.rmtree(folder)
