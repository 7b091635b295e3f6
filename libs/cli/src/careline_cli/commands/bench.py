"""`careline bench`: figures beside their ceilings and their peers, from one run on this machine."""

import asyncio
import tempfile
from enum import Enum
from pathlib import Path
from typing import Annotated

import typer

from careline_cli import console
from careline_cli.command_error import CommandError
from careline_cli.commands.options import Json

TABLE_WIDTH = 220


class Bench(Enum):
    """What there is to measure."""

    STORE = "store"


def bench(
    what: Annotated[Bench, typer.Argument(help="What to measure.")],
    *,
    quick: Annotated[
        bool, typer.Option("--quick", help="Only see that it runs, in under a minute.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Measure the store beside its ceilings and its peer.

    It runs on servers of its own in a temporary folder here, which is removed again; with --json
    the figures are kept under benchmarks/results/, unless --quick. Other work on the machine is
    noise in all of them.
    """
    try:
        # Part of a development checkout alone, as are the peers.
        from benchmarks.store.run import run  # noqa: PLC0415
    except ModuleNotFoundError as missing:
        name = (missing.name or "").partition(".")[0]
        raise CommandError(
            f"{name} is not installed: benches run from a checkout, set up by `make setup`"
        ) from None
    console.say(f"measuring the {what.value}")
    with tempfile.TemporaryDirectory(dir=Path.cwd(), prefix=".careline-bench-") as folder:
        report = asyncio.run(run(Path(folder), quick=quick, say=console.say))
    # As wide as it is, also where nobody told how wide a line may be.
    where = console.Output(stderr=as_json, width=TABLE_WIDTH, highlight=False)
    where.print(report.table())
    for note in report.notes:
        where.print(note, markup=False)
    if as_json:
        if not quick:
            console.say(f"kept as {report.keep()}")
        console.OUT.print_json(report.as_json())
