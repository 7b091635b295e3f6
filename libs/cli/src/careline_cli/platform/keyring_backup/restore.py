"""Brings a lost keyring back, and rehearses that."""

import asyncio
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime

from embedded import PostgresServer, running
from embedded.private_files import sync_folder

from careline_cli.command_error import CommandError
from careline_cli.platform.data_directory import DataDirectory
from careline_cli.platform.keyring_backup.base_backup import BaseAltered, verify_base
from careline_cli.platform.keyring_backup.contents import Contents, contents
from careline_cli.platform.keyring_backup.folder import BackupFolder, Base, time_of_base
from careline_cli.platform.keyring_backup.lock import held
from careline_cli.platform.keyring_backup.marks import RestoreMarks
from careline_cli.platform.keyring_backup.reapplied import Reapplied, reapply
from careline_cli.platform.keyring_backup.recovery import (
    RESTORING,
    VERIFYING,
    copy_of,
    recover,
    remove_copies,
    require_whole,
)
from careline_cli.platform.keyring_backup.standby import alone, keyring_server
from careline_cli.provision.provisioned import Databases

Say = Callable[[str], None]


class KeyringNotRestored(CommandError):
    """The keyring was not restored; the text says why."""


@dataclass(frozen=True, slots=True)
class RestoredKeyring:
    """From which base backup; what the keyring holds; None for logs that are not there yet."""

    base: str
    contents: Contents
    reapplied: Reapplied | None


@dataclass(frozen=True, slots=True)
class VerifiedKeyring:
    """A recovery of the newest base backup beside the live keyring, before it and after it."""

    base: str
    recovered: Contents
    before: Contents
    after: Contents

    @property
    def ok(self) -> bool:
        return self.recovered.within(self.before, self.after)


async def restore_keyring(
    data: DataDirectory, *, at: datetime | None = None, say: Say
) -> RestoredKeyring:
    """Bring a stopped platform's lost keyring back: all of it, or as it was at a time.

    Whoever was erased since is erased again, here or, without the platform's database, by the next
    start, before anything is served. One that was broken off goes on. Raises KeyringNotRestored,
    NotRecovered and EmbeddedServerError.
    """
    keyring, base = alone(data), RestoreMarks.of(data).unfinished()
    if not keyring.cluster.exists():
        base = await _bring_back(data, at, say)
    elif base is None:
        raise KeyringNotRestored(
            f"there is a keyring in {keyring.data_dir}; if it is lost, set it aside: "
            f"mv {keyring.data_dir} {keyring.data_dir}.lost"
        )
    else:
        say(f"the keyring of the base backup {base} is in place: going on from there")
    settle_restored(data)
    reapplied = await _reapply_here(data, say)
    async with running(keyring):
        return RestoredKeyring(base, await contents(keyring), reapplied)


async def _bring_back(data: DataDirectory, at: datetime | None, say: Say) -> str:
    """Recover beside, then move it into place; gives the base backup's name."""
    base = _good_base(BackupFolder.of(data), at, say)
    name = base.folder.name
    say(f"recovering the base backup {name} and the log since")
    keyring = alone(data)
    recovered = await recover(base, copy_of(keyring, RESTORING), at=at)
    if at is None:
        await asyncio.to_thread(require_whole, base, recovered)
    keyring.data_dir.mkdir(mode=0o700, exist_ok=True)
    sync_folder(data.root)
    RestoreMarks(keyring.data_dir).make(name)
    _put_in_place(recovered, keyring)
    return name


async def verify_keyring(data: DataDirectory, *, say: Say) -> VerifiedKeyring:
    """Recover the newest base backup beside a running keyring and compare.

    Raises BaseAltered, NotRecovered and BackupsInUse.
    """
    backups = BackupFolder.of(data)
    with held(backups):
        return await _verify(keyring_server(data), backups, say)


async def _verify(live: PostgresServer, backups: BackupFolder, say: Say) -> VerifiedKeyring:
    bases = backups.current()
    if not bases:
        raise KeyringNotRestored(
            f"there is no base backup in {backups.bases}; see: careline status"
        )
    verify_base(backups, bases[0].folder)
    before = await contents(live)
    scratch = copy_of(live, VERIFYING)
    try:
        say(f"recovering the base backup {bases[0].folder.name} and the log since")
        async with running(await recover(bases[0], scratch)) as recovered:
            found = await contents(recovered)
    finally:
        shutil.rmtree(scratch, ignore_errors=True)
    return VerifiedKeyring(bases[0].folder.name, found, before, await contents(live))


def settle_restored(data: DataDirectory) -> None:
    """Set the backups of the keyring before a restore aside, and remove what a killed one left."""
    remove_copies(alone(data))
    mark = RestoreMarks.of(data).restored
    if mark.exists():
        BackupFolder.of(data).set_aside(datetime.now(UTC))
        mark.unlink()


def is_to_be_reapplied(data: DataDirectory) -> bool:
    return RestoreMarks.of(data).unfinished() is not None


async def reapply_restored(data: DataDirectory, databases: Databases, say: Say) -> Reapplied:
    """Erase again whom the logs know as erased; the mark that asks for it goes when it is done."""
    say("keyring: linking and erasing again what the logs know")
    mark = RestoreMarks.of(data).to_reapply
    done = await reapply(databases, time_of_base(mark.read_text(encoding="utf-8")))
    mark.unlink()
    return done


async def _reapply_here(data: DataDirectory, say: Say) -> Reapplied | None:
    platform = PostgresServer(data.root / "postgres")
    if not platform.cluster.exists():
        say("the platform's database is not there: the next start erases again what its logs know")
        return None
    databases = Databases(platform, alone(data))
    async with running(databases.platform), running(databases.keyring):
        return await reapply_restored(data, databases, say)


def _good_base(backups: BackupFolder, at: datetime | None, say: Say) -> Base:
    """Choose the newest that is whole: with the log since, an older one gives the same.

    Those of a keyring from before an earlier restore do not: they lack the keys made since.
    """
    current = backups.current()
    for base in backups.all() if at is not None or not current else current:
        if at is not None and base.ended_at > at:
            continue
        try:
            verify_base(backups, base.folder)
        except BaseAltered as error:
            say(str(error))
            continue
        if base.wal != backups.wal:
            say(f"{base.folder} is of the keyring before a restore: keys made since it are lost")
        return base
    before = "" if at is None else f" from before {at.isoformat()}"
    raise KeyringNotRestored(f"there is no good base backup{before} in {backups.root}")


def _put_in_place(recovered: PostgresServer, keyring: PostgresServer) -> None:
    """Move it to where the keyring was, the cluster last; a kill before that changes nothing."""
    password = "superuser.password"  # noqa: S105 - a file's name
    (recovered.data_dir / password).rename(keyring.data_dir / password)
    # No crash may leave the cluster without what is done with it before it serves.
    sync_folder(keyring.data_dir)
    recovered.cluster.rename(keyring.cluster)
    sync_folder(keyring.data_dir)
    shutil.rmtree(recovered.data_dir)
