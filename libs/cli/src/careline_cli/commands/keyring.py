"""`careline keyring`: backs the keyring up, rehearses a restore, brings a lost keyring back."""

import asyncio
from dataclasses import asdict
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Annotated

import typer

from careline_cli import console
from careline_cli.commands.moment import time_of
from careline_cli.commands.options import Json, data_of
from careline_cli.platform.data_directory import DataDirectory
from careline_cli.platform.keyring_backup.base_backup import KEPT, expire, take_base
from careline_cli.platform.keyring_backup.folder import BackupFolder
from careline_cli.platform.keyring_backup.restore import restore_keyring, verify_keyring
from careline_cli.platform.keyring_backup.standby import keyring_server
from careline_cli.platform.keyring_backup.status import keyring_status


class Action(StrEnum):
    """What to do."""

    BACKUP = "backup"
    STATUS = "status"
    VERIFY = "verify"
    RESTORE = "restore"


def keyring(
    context: typer.Context,
    action: Annotated[Action, typer.Argument(help="What to do.")],
    *,
    at: Annotated[
        str, typer.Option("--at", help="Restore it as it was at a time (RFC 3339, with its zone).")
    ] = "",
    kept_days: Annotated[
        int, typer.Option("--kept-days", min=1, help="How long a backup keeps what was erased.")
    ] = KEPT.days,
    as_json: Json = False,
) -> None:
    """Back the keyring up, show that, rehearse a restore, restore a lost keyring.

    restore is for a stopped platform, the others for one that runs. Ends with status 1 when keys
    are not on two disks (status) or a restore would miss some (verify).
    """
    data = data_of(context)
    match action:
        case Action.BACKUP:
            _backup(data, timedelta(days=kept_days), as_json=as_json)
        case Action.STATUS:
            found = asyncio.run(keyring_status(data))
            console.show(asdict(found), as_json=as_json)
            _end_with(ok=found.synchronous)
        case Action.VERIFY:
            data.addresses()
            verified = asyncio.run(verify_keyring(data, say=console.say))
            console.show({**asdict(verified), "ok": verified.ok}, as_json=as_json)
            _end_with(ok=verified.ok)
        case Action.RESTORE:
            point = time_of(at, "--at") if at else None
            data.require_stopped()
            with data.held():
                restored = asyncio.run(restore_keyring(data, at=point, say=console.say))
            console.show(asdict(restored), as_json=as_json)


def _backup(data: DataDirectory, kept: timedelta, *, as_json: bool) -> None:
    data.addresses()
    server, backups = keyring_server(data), BackupFolder.of(data)
    now = datetime.now(UTC)
    base = take_base(server, backups, now)
    expired = expire(server, backups, now=now, kept=kept)
    console.show(
        {
            "taken": base.folder.name,
            "kept": [one.folder.name for one in backups.all()],
            "expired": [one.name for one in (*expired.bases, *expired.earlier)],
            "first_segment": next(backups.segments(), None),
        },
        as_json=as_json,
    )


def _end_with(*, ok: bool) -> None:
    if not ok:
        raise typer.Exit(1)
