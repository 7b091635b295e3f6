"""`careline archive`: how far the logs are archived, and whether the archive is whole."""

import asyncio
import json
from dataclasses import asdict
from enum import StrEnum
from typing import Annotated

import typer
from eventstore.archive.errors import ArchiveError
from eventstore.archive.object_store import ArchiveStore
from eventstore.archive.verify import Verified, verify
from rich.table import Table

from careline_cli import console
from careline_cli.archive_keys import KeysOfLogs, keys_in_vault, keys_of, read_keys, write_keys
from careline_cli.archive_status import ServiceArchiveStatus, archive_status
from careline_cli.commands.options import Json, PublicKeysFile, chosen_services, data_of


class Action(StrEnum):
    """What to do with the archive."""

    STATUS = "status"
    VERIFY = "verify"
    KEYS = "keys"


def archive(
    context: typer.Context,
    action: Annotated[Action, typer.Argument(help="What to do.")],
    *,
    service: Annotated[
        str, typer.Option("--service", help="Whose log; all of them unless said.")
    ] = "",
    url: Annotated[
        str, typer.Option("--from", help="Where the archive is; the data directory's unless said.")
    ] = "",
    public_keys: PublicKeysFile = None,
    as_json: Json = False,
) -> None:
    """Show how far logs are archived, verify the archive, print its public keys.

    Verifying needs the public keys alone: those of a running platform's Vault, or of a file that
    `careline archive keys` printed. It ends with status 1 at a fault.
    """
    data = data_of(context)
    services = chosen_services(service)
    store = ArchiveStore(url or data.archive.as_uri())

    def vault_keys() -> KeysOfLogs:
        return keys_in_vault(data, data.addresses().vault, services)

    match action:
        case Action.STATUS:
            _show_status(asyncio.run(archive_status(data, store, services)), as_json=as_json)
        case Action.VERIFY:
            keys = read_keys(public_keys) if public_keys else vault_keys()
            _verify(store, services, keys, as_json=as_json)
        case Action.KEYS:
            print(write_keys(vault_keys()))  # noqa: T201 - the very bytes, unwrapped


def _show_status(found: list[ServiceArchiveStatus], *, as_json: bool) -> None:
    if as_json:
        console.OUT.print_json(
            json.dumps({"archives": [{**asdict(one), "lag": one.lag} for one in found]})
        )
        return
    table = Table("log", "epoch", "segments", "signed", "archived", "lag", "last write", box=None)
    for one in found:
        cells = (one.epoch, one.segments, one.signed_position, one.position, one.lag)
        shown = ("-" if cell is None else str(cell) for cell in cells)
        table.add_row(one.log, *shown, one.written_at or "-")
    console.OUT.print(table)


def _verify(
    store: ArchiveStore, services: tuple[str, ...], keys: KeysOfLogs, *, as_json: bool
) -> None:
    verified, faults = asyncio.run(_verify_all(store, services, keys))
    if as_json:
        text = {"verified": [asdict(one) for one in verified], "faults": faults}
        console.OUT.print_json(json.dumps(text))
    else:
        table = Table("log", "epoch", "segments", "events", "signed", "archived", box=None)
        for one in verified:
            table.add_row(*map(str, asdict(one).values()))
        console.OUT.print(table)
        for log, fault in faults.items():
            console.OUT.print(f"{log}: {fault}", style="red", markup=False, soft_wrap=True)
    if faults:
        raise typer.Exit(1)


async def _verify_all(
    store: ArchiveStore, services: tuple[str, ...], keys: KeysOfLogs
) -> tuple[list[Verified], dict[str, str]]:
    verified, faults = [], {}
    for service in services:
        try:
            verified.append(await verify(store, service, keys_of(keys, service)))
        except ArchiveError as error:
            faults[service] = str(error)
    return verified, faults
