"""`careline restore`: brings the logs of a lost database back from their archive."""

import asyncio
import json
from time import monotonic
from typing import Annotated

import typer
from eventstore.archive.object_store import ArchiveStore
from eventstore.archive.point import Point
from rich.table import Column, Table

from careline_cli import console
from careline_cli.archive_keys import read_keys
from careline_cli.commands.moment import moment
from careline_cli.commands.options import Json, PublicKeysFile, chosen_services, data_of
from careline_cli.provision.external import settings_of_environment
from careline_cli.restored_log import RestoredLog
from careline_cli.restoring import Wanted, restore_external, restore_logs
from careline_cli.streams.elsewhere import RestoreSettings, streams_elsewhere


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
    archive_only: Annotated[
        bool,
        typer.Option("--archive-only", help="Take nothing from streams, of which none is signed."),
    ] = False,
    as_json: Json = False,
) -> None:
    """Bring logs back from their archive into an empty database of a stopped platform.

    What was published beyond the archive is read back from streams, which are then made anew.
    Everything is verified before it is written; a log that holds events is left as it is, so that
    a restore that was broken off is begun again by the same command. The keyring stays as it is:
    who was erased stays erased.
    """
    data = data_of(context)
    point = point_of(until, service)
    began = monotonic()

    def say(step: str) -> None:
        console.say(f"{monotonic() - began:6.1f} s  {step}")

    wanted = Wanted(ArchiveStore(url), chosen_services(service), point, archive_only)
    keys = read_keys(public_keys) if public_keys else None
    if external:
        if keys is None:
            raise typer.BadParameter("--external needs it", param_hint="--public-keys")
        settings = settings_of_environment(RestoreSettings)
        streams = None if archive_only else streams_elsewhere(settings)
        if streams is None:
            say("from the archive alone: streams are not read")
        restored = asyncio.run(restore_external(settings, wanted, keys, streams, say))
    else:
        data.require_stopped()
        data.create()
        with data.held():
            restored = asyncio.run(restore_logs(data, wanted, keys, say))
    if as_json:
        logs = [one.as_json() for one in restored]
        seconds = round(monotonic() - began, 3)
        console.OUT.print_json(json.dumps({"restored": logs, "seconds": seconds}))
    else:
        _show(restored)


def _show(restored: list[RestoredLog]) -> None:
    names = ("epoch", "position", "from archive", "from stream", "archived", "not restored")
    table = Table(Column("log", no_wrap=True), *names, "seconds", box=None)
    for one in restored:
        log, left_out = one.restored, one.renewal.left_out if one.renewal else "not looked at"
        numbers = (log.epoch, log.position, one.from_archive, log.streamed, log.archived_position)
        table.add_row(log.log, *map(str, (*numbers, left_out)), f"{one.seconds:.1f}")
    console.OUT.print(table)


def point_of(text: str, service: str) -> Point:
    """Read a point in time or a position; a position is one log's."""
    if not text:
        return None
    point = moment(text, "--until")
    if isinstance(point, int) and not service:
        raise typer.BadParameter("a position needs --service", param_hint="--until")
    return point
