"""Which user a server runs as that refuses to run as root, and what it keeps of root's rights."""

import os
import stat
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from embedded.errors import FolderClosed

# `nobody` on every Linux; initdb insists on a user that has a name.
NOBODY = 65534
# capabilities(7): enter and read any folder; the same and write. Containers often lack the first.
CAP_DAC_READ_SEARCH = 2
CAP_DAC_OVERRIDE = 1


@dataclass(frozen=True, slots=True)
class Account:
    """A user to become; `capability` is what stays of root's, by its number in capabilities(7)."""

    uid: int
    gid: int
    capability: int | None


def account_for(server: str, data: Path, program: Path) -> Account | None:
    """Say whom to run as: None, which is to stay who we are, unless that is root.

    Existing `data` keeps its owner, new data belongs to `nobody`. Where that user cannot enter a
    folder above the data or the program (a checkout below /root), the account keeps one capability,
    so that no mode of the user's own folders is touched. Raises FolderClosed when there is none.
    """
    if os.geteuid() != 0:
        return None
    uid, gid = NOBODY, NOBODY
    if data.exists() and data.stat().st_uid != 0:
        uid, gid = data.stat().st_uid, data.stat().st_gid
    closed = [*folders_closed_to(uid, gid, data), *folders_closed_to(uid, gid, program)]
    if not closed:
        return Account(uid, gid, None)
    permitted = permitted_capabilities()
    for capability in (CAP_DAC_READ_SEARCH, CAP_DAC_OVERRIDE):
        if permitted >> capability & 1:
            return Account(uid, gid, capability)
    raise FolderClosed(server, closed[0])


def folders_closed_to(uid: int, gid: int, path: Path) -> Iterable[Path]:
    """Find the folders above the path that this user, in no other group, cannot enter."""
    for folder in path.resolve().parents:
        status = folder.stat()
        if status.st_uid == uid:
            enter = stat.S_IXUSR
        elif status.st_gid == gid:
            enter = stat.S_IXGRP
        else:
            enter = stat.S_IXOTH
        if not status.st_mode & enter:
            yield folder


def permitted_capabilities() -> int:
    """Read this process's permitted set as bits, from /proc/self/status."""
    lines = Path("/proc/self/status").read_text(encoding="ascii").splitlines()
    return int(next(line.split()[1] for line in lines if line.startswith("CapPrm:")), 16)
