"""`careline vault`: takes snapshots of Vault, and brings a lost one back."""

import asyncio
from dataclasses import asdict
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from careline_cli import console
from careline_cli.commands.options import Json, data_of
from careline_cli.platform.vault_restore import restore_vault
from careline_cli.platform.vault_snapshots import KEPT, snapshots, take_snapshot


class Action(StrEnum):
    """What to do."""

    SNAPSHOT = "snapshot"
    RESTORE = "restore"


def vault(
    context: typer.Context,
    action: Annotated[Action, typer.Argument(help="What to do.")],
    *,
    snapshot: Annotated[
        Path | None, typer.Option("--from", help="The snapshot to restore; the newest unless said.")
    ] = None,
    seal_key: Annotated[
        Path | None, typer.Option("--seal-key", help="The seal key, where it is kept apart.")
    ] = None,
    keep: Annotated[int, typer.Option("--keep", min=1, help="How many snapshots to keep.")] = KEPT,
    as_json: Json = False,
) -> None:
    """Take a snapshot of Vault, or bring a lost Vault back from one.

    Take one after each change of Transit keys. restore is for a stopped platform; it ends with
    status 1 when the snapshot does not open the keyring's newest tenant keys.
    """
    data = data_of(context)
    if action is Action.SNAPSHOT:
        taken = take_snapshot(data, data.addresses().vault, now=datetime.now(UTC), keep=keep)
        kept = [one.file.name for one in snapshots(data)]
        console.show({"taken": taken.file.name, "kept": kept}, as_json=as_json)
        return
    data.require_stopped()
    with data.held():
        restored = asyncio.run(
            restore_vault(data, snapshot=snapshot, seal_key=seal_key, say=console.say)
        )
    console.show(asdict(restored), as_json=as_json)
    if restored.unopened:
        console.fail(
            f"the snapshot does not open the newest key of {', '.join(restored.unopened)}: it is "
            "older than a change of that Transit key, and the platform does not start with it; "
            "repeat with a newer one: careline vault restore --from FILE"
        )
