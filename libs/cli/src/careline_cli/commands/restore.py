"""`careline restore`: brings the logs of a lost database back from their archive."""

import asyncio
import json
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Annotated

import typer
from eventstore.archive.object_store import ArchiveStore
from eventstore.archive.point import Point
from rich.table import Table

from careline_cli import console
from careline_cli.archive_keys import read_keys
from careline_cli.commands.options import Json, PublicKeysFile, chosen_services, data_of
from careline_cli.provision.external import settings_of_environment
from careline_cli.restoring import Wanted, restore_external, restore_logs


def restore(
    context: typer.Context,
    *,
    url: Annotated[str, typer.Option("--from", help='The archive, as "file:///..." or "s3://..."')],
    until: Annotated[
        str, typer.Option("--until", help="A time (RFC 3339), or a position of one service's log.")
    ] = "",
    service: Annotated[
        str, typer.Option("--service", help="Whose log; all of them unless said.")
    ] = "",
    public_keys: PublicKeysFile = None,
    external: Annotated[
        bool,
        typer.Option(
            "--external", help="Into the database that the environment names, as for migrate."
        ),
    ] = False,
    as_json: Json = False,
) -> None:
    """Bring logs back from their archive into an empty database of a stopped platform.

    Everything is verified before it is written; a log that holds events is left as it is, so that
    a restore that was broken off is begun again by the same command. The keyring stays as it is:
    who was erased stays erased.
    """
    data = data_of(context)
    wanted = Wanted(ArchiveStore(url), chosen_services(service), point_of(until, service))
    keys = read_keys(public_keys) if public_keys else None
    if external:
        if keys is None:
            raise typer.BadParameter("--external needs it", param_hint="--public-keys")
        settings = settings_of_environment()
        restored = asyncio.run(restore_external(settings, wanted, keys, console.say))
    else:
        data.require_stopped()
        data.create()
        with data.held():
            restored = asyncio.run(restore_logs(data, wanted, keys, console.say))
    if as_json:
        console.OUT.print_json(json.dumps({"restored": [asdict(one) for one in restored]}))
        return
    table = Table("log", "epoch", "position", "events", "archived", box=None)
    for one in restored:
        table.add_row(*map(str, asdict(one).values()))
    console.OUT.print(table)


def point_of(text: str, service: str) -> Point:
    """Read a point in time or a position; a position is one log's."""
    if not text:
        return None
    if text.isascii() and text.isdigit():
        if not service:
            raise typer.BadParameter("a position needs --service", param_hint="--until")
        return int(text)
    try:
        point = datetime.fromisoformat(text)
    except ValueError:
        raise typer.BadParameter("a time or a position", param_hint="--until") from None
    if point.tzinfo is None:
        raise typer.BadParameter("a time with its zone, as ...Z", param_hint="--until")
    return point.astimezone(UTC)
