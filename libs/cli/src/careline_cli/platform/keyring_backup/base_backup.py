"""Takes base backups of the running keyring, checks them, and lets the old ones go."""

import shutil
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from embedded import PostgresServer, PreparationFailed
from embedded.account import account_for
from embedded.data_dir import require_space
from embedded.postgres_tools import postgres_tool, run_tool
from embedded.private_files import private_folder, sync_folder

from careline_cli.command_error import CommandError
from careline_cli.platform.keyring_backup.folder import BackupFolder, Base
from careline_cli.platform.keyring_backup.lock import held
from careline_cli.platform.keyring_backup.manifest import Differs, verify_files
from careline_cli.platform.keyring_backup.recovery import remove_copies
from careline_cli.platform.keyring_backup.standby import PasswordFile

NAME = "keyring backup"
KEPT = timedelta(days=35)
"""An erasure is final when no backup from before it is left."""


class BaseAltered(CommandError):
    """A base backup is not as it was taken."""

    def __init__(self, base: Path, part: str) -> None:
        super().__init__(
            f"the base backup {base} is not as it was taken: {part} differs; an earlier one and "
            "the log since give the same keyring"
        )


@dataclass(frozen=True, slots=True)
class Expired:
    """What was let go: base backups, and folders of keyrings before a restore."""

    bases: tuple[Path, ...]
    earlier: tuple[Path, ...]


def take_base(server: PostgresServer, backups: BackupFolder, now: datetime) -> Base:
    """Take one, with the log it needs by itself, and verify it; it has its name once it is good.

    Raises DiskFull, PreparationFailed, BinaryMissing and BackupsInUse; what is unfinished goes with
    the next.
    """
    with held(backups):
        return _take(server, backups, now)


def _take(server: PostgresServer, backups: BackupFolder, now: datetime) -> Base:
    account = server.account()
    for folder in (backups.root, backups.bases):
        private_folder(folder, account)
    backups.clear_unfinished()
    require_space(NAME, backups.root)
    new = backups.unfinished(now)
    arguments = (
        *("--pgdata", str(new), "--checkpoint", "fast", "--wal-method", "stream"),
        *("--manifest-checksums", "SHA256", "--no-password"),
    )
    ended = run_tool(
        NAME,
        "pg_basebackup",
        arguments,
        log_file=backups.log_file,
        account=account,
        environment=PasswordFile(server).environment,
    )
    if ended != 0:
        require_space(NAME, backups.root)
        raise PreparationFailed(NAME, "taking a base backup", backups.log_file)
    verify_base(backups, new)
    base = Base(backups.base(now), now)
    new.rename(base.folder)
    sync_folder(backups.bases)
    return base


def verify_base(backups: BackupFolder, base: Path) -> None:
    """Hold every file against the manifest and read the log that is with it; raises BaseAltered."""
    try:
        ranges = verify_files(base)
    except Differs as differs:
        raise BaseAltered(base, str(differs)) from None
    for one in ranges:
        ended = run_tool(
            NAME,
            "pg_waldump",
            (
                *("--quiet", "--path", str(base / "pg_wal"), "--timeline", str(one.timeline)),
                *("--start", one.start, "--end", one.end),
            ),
            log_file=backups.log_file,
            account=account_for(NAME, base, postgres_tool("pg_waldump")),
        )
        if ended != 0:
            raise BaseAltered(base, "pg_wal")


def expire(
    server: PostgresServer, backups: BackupFolder, *, now: datetime, kept: timedelta = KEPT
) -> Expired:
    """Remove base backups older than `kept`, never the last good one, and the log before the rest.

    Raises BaseAltered, before anything is removed, when the newest is not good, and BackupsInUse.
    Copies of the keyring that a killed restore or rehearsal left go, too.
    """
    with held(backups):
        remove_copies(server)
        return _expire(server, backups, now, kept)


def _expire(
    server: PostgresServer, backups: BackupFolder, now: datetime, kept: timedelta
) -> Expired:
    current = backups.current()
    if not current:
        return Expired((), ())
    verify_base(backups, current[0].folder)
    old = [base for base in backups.all() if now - base.taken_at >= kept and base != current[0]]
    for base in old:
        shutil.rmtree(base.folder)
    emptied = tuple(one for one in backups.earlier() if not BackupFolder(one).current())
    for folder in emptied:
        shutil.rmtree(folder)
    _clean(server, backups, backups.current()[-1])
    for folder in backups.earlier():
        _clean(server, backups, min(BackupFolder(folder).current(), key=lambda one: one.taken_at))
    return Expired(tuple(base.folder for base in old), emptied)


def _clean(server: PostgresServer, backups: BackupFolder, oldest: Base) -> None:
    """Remove the log that no base backup needs."""
    ended = run_tool(
        NAME,
        "pg_archivecleanup",
        (str(oldest.wal), oldest.first_segment),
        log_file=backups.log_file,
        account=server.account(),
    )
    if ended != 0:
        raise PreparationFailed(NAME, "removing the log of expired backups", backups.log_file)
