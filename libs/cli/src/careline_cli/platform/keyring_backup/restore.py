"""Brings a lost keyring back, and rehearses that."""

import shutil
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from embedded import PostgresServer, running

from careline_cli.command_error import CommandError
from careline_cli.platform.data_directory import DataDirectory
from careline_cli.platform.keyring_backup.base_backup import BaseAltered, verify_base
from careline_cli.platform.keyring_backup.contents import Contents, contents
from careline_cli.platform.keyring_backup.folder import BackupFolder, Base
from careline_cli.platform.keyring_backup.reapplied import Reapplied, reapply
from careline_cli.platform.keyring_backup.recovery import recover
from careline_cli.platform.keyring_backup.standby import alone, keyring_server
from careline_cli.provision.provisioned import Databases

Say = Callable[[str], None]


class RestoreRefused(CommandError):
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
    start, before anything is served. Raises RestoreRefused, NotRecovered and EmbeddedServerError.
    """
    keyring = alone(data)
    if keyring.cluster.exists():
        raise RestoreRefused(
            f"there is a keyring in {keyring.data_dir}; if it is lost, set it aside: "
            f"mv {keyring.data_dir} {keyring.data_dir}.lost"
        )
    backups = BackupFolder.of(data)
    base = _good_base(backups, at, say)
    say(f"recovering the base backup {base.folder.name} and the log since")
    recovered = await recover(base, data.root / "keyring.restoring", at=at)
    _put_in_place(recovered, keyring)
    settle_restored(data)
    reapplied = await _reapply_here(data, say)
    async with running(keyring):
        return RestoredKeyring(base.folder.name, await contents(keyring), reapplied)


async def verify_keyring(data: DataDirectory, *, say: Say) -> VerifiedKeyring:
    """Recover the newest base backup beside a running keyring and compare; raises BaseAltered."""
    backups = BackupFolder.of(data)
    live = keyring_server(data)
    bases = backups.current()
    if not bases:
        raise RestoreRefused(f"there is no base backup in {backups.bases}; see: careline status")
    verify_base(backups, bases[0].folder)
    before = await contents(live)
    scratch = data.root / "keyring.verifying"
    try:
        say(f"recovering the base backup {bases[0].folder.name} and the log since")
        async with running(await recover(bases[0], scratch)) as recovered:
            found = await contents(recovered)
    finally:
        shutil.rmtree(scratch, ignore_errors=True)
    return VerifiedKeyring(bases[0].folder.name, found, before, await contents(live))


def settle_restored(data: DataDirectory) -> None:
    """Set the backups of the keyring before a restore aside; a no-op when that is done."""
    mark = _place_of_marks(data) / "restored"
    if mark.exists():
        BackupFolder.of(data).set_aside(datetime.now(UTC))
        mark.unlink()


def is_to_be_reapplied(data: DataDirectory) -> bool:
    return (_place_of_marks(data) / "to-reapply").exists()


async def reapply_restored(data: DataDirectory, databases: Databases, say: Say) -> Reapplied:
    """Erase again whom the logs know as erased; the mark that asks for it goes when it is done."""
    say("keyring: linking and erasing again what the logs know")
    done = await reapply(databases)
    (_place_of_marks(data) / "to-reapply").unlink(missing_ok=True)
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
    """Choose the newest that is whole: with the log since, an older one gives the same."""
    for base in backups.all():
        if at is not None and base.ended_at > at:
            continue
        try:
            verify_base(backups, base.folder)
        except BaseAltered as error:
            say(str(error))
        else:
            return base
    before = "" if at is None else f" from before {at.isoformat()}"
    raise RestoreRefused(f"there is no good base backup{before} in {backups.root}")


def _put_in_place(recovered: PostgresServer, keyring: PostgresServer) -> None:
    """Move it to where the keyring was, the cluster last; a kill before that changes nothing."""
    keyring.data_dir.mkdir(mode=0o700, exist_ok=True)
    for mark in ("restored", "to-reapply"):
        (keyring.data_dir / mark).touch(mode=0o600)
    password = "superuser.password"  # noqa: S105 - a file's name
    (recovered.data_dir / password).rename(keyring.data_dir / password)
    recovered.cluster.rename(keyring.cluster)
    shutil.rmtree(recovered.data_dir)


def _place_of_marks(data: DataDirectory) -> Path:
    return data.root / "keyring"
