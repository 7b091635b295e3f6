"""Makes a server's data directory of a base backup and the log since."""

import asyncio
import os
import shlex
import shutil
from datetime import UTC, datetime
from pathlib import Path

from embedded import EmbeddedServerError, PostgresServer, ServerProcess

from careline_cli.command_error import CommandError
from careline_cli.platform.keyring_backup.folder import PARTIAL, BackupFolder, Base
from careline_cli.platform.keyring_backup.log_end import (
    goes_on,
    last_segment,
    ordinal,
    ordinal_at,
    recovered_to,
)

# Nobody is answered before the log's end, or the time asked for, is reached.
RECOVERY = {"hot_standby": "off", "recovery_target_action": "promote"}
RECOVERY_SECONDS = 3600.0


RESTORING = "restoring"
VERIFYING = "verifying"


class NotRecovered(CommandError):
    """A base backup could not be recovered; the text says what is known of why."""


async def recover(base: Base, into: Path, *, at: datetime | None = None) -> PostgresServer:
    """Recover into a folder made anew: all of the log, or up to a time.

    Gives the server, stopped, with a superuser's password of its own. Raises NotRecovered, also
    when the log goes on behind a gap.
    """
    last = await asyncio.to_thread(_last_segment, base)
    settings = {**RECOVERY, "restore_command": _fetch(base.wal)}
    if at is not None:
        settings["recovery_target_time"] = at.astimezone(UTC).isoformat()
    server = PostgresServer(into, name="keyring recovery", settings=settings)
    await asyncio.to_thread(_copy, base.folder, server.cluster)
    process = await ServerProcess.start(server)
    try:
        await process.ready(within=RECOVERY_SECONDS)
    except EmbeddedServerError as error:
        until = "" if at is None else f" up to {at.isoformat()}, which its log may not reach"
        raise NotRecovered(f"{base.folder.name} was not recovered{until}: {error}") from None
    finally:
        await process.stop()
    if at is None:
        _require_end(server, last)
    server.forget_password()
    return server


def require_whole(base: Base, recovered: PostgresServer) -> None:
    """Raise NotRecovered when a lost keyring's log is altered near its end: it goes on behind."""
    if goes_on(BackupFolder(base.wal.parent), recovered):
        lsn = recovered_to(recovered)
        raise NotRecovered(
            f"the log ends at {lsn}, in segment *{ordinal_at(lsn)}: it or the one after it is "
            "altered, and the log goes on behind that"
        )


def copy_of(keyring: PostgresServer, purpose: str) -> Path:
    """Give the folder beside a keyring that a copy of it is recovered into."""
    return keyring.data_dir.with_name(f"{keyring.data_dir.name}.{purpose}")


def remove_copies(keyring: PostgresServer) -> None:
    """Remove what was left of a kill: whole keyrings, that no erasure reaches."""
    for purpose in (RESTORING, VERIFYING):
        copy = copy_of(keyring, purpose)
        if copy.exists():
            shutil.rmtree(copy)


def _last_segment(base: Base) -> str:
    """Name the segment that a recovery has to reach; it is the base's own or a later one."""
    last = last_segment(BackupFolder(base.wal.parent))
    if last is None or ordinal(last) < ordinal(base.first_segment):
        raise NotRecovered(
            f"the log in {base.wal} does not go on from the base backup {base.folder.name}: "
            f"segment {base.first_segment} and what follows is missing"
        )
    return last


def _require_end(server: PostgresServer, last: str) -> None:
    lsn = recovered_to(server)
    if ordinal_at(lsn) < ordinal(last):
        raise NotRecovered(
            f"the log ends at {lsn}, in segment *{ordinal_at(lsn)}: it or the one after it is "
            f"missing or altered, and the log goes on to {last}"
        )


def _fetch(wal: Path) -> str:
    """Give the command by which the server fetches a segment, the last of which is not full."""
    file = shlex.quote(str(wal).replace("%", "%%")) + "/%f"
    # The last one again: it may have become full, and lost its suffix, between the first two.
    tries = (file, f"{file}{PARTIAL}", file)
    return " || ".join(f'cp {one} "%p" 2>/dev/null' for one in tries)


def _copy(base: Path, cluster: Path) -> None:
    """Copy it into a folder made anew, to be recovered by its owner, whom the keyring ran as."""
    if cluster.parent.exists():
        shutil.rmtree(cluster.parent)
    cluster.parent.mkdir(mode=0o700, parents=True)
    shutil.copytree(base, cluster)
    (cluster / "recovery.signal").touch(mode=0o600)
    owner = base.stat()
    for place, _, files in os.walk(cluster):
        for path in (Path(place), *(Path(place) / file for file in files)):
            if path.stat().st_uid != owner.st_uid:
                os.chown(path, owner.st_uid, owner.st_gid)
