"""`careline drill`: disasters rehearsed on servers of its own, under load."""

import asyncio
import json
import shutil
import tempfile
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.table import Table

from careline_cli import console
from careline_cli.commands.options import Json
from careline_cli.drill.catalogue import SCENARIOS
from careline_cli.drill.rehearsal import Plan, rehearse
from careline_cli.drill.report import failed
from careline_cli.drill.results import Results
from careline_cli.error_line import line_of

LIST = "list"
TABLE_WIDTH = 200


def drill(
    names: Annotated[
        list[str] | None,
        typer.Argument(help=f"Which: {', '.join(SCENARIOS)}; or `{LIST}`, to say what each does."),
    ] = None,
    *,
    every: Annotated[bool, typer.Option("--all", help="All of them, one after another.")] = False,
    rate: Annotated[
        float, typer.Option("--rate", min=1, help="Appends a second in flight at the kill.")
    ] = 500,
    seconds: Annotated[
        float, typer.Option("--seconds", min=1, help="How long at that rate before the kill.")
    ] = 15,
    events: Annotated[
        int, typer.Option("--events", min=0, help="Events to preload before the load.")
    ] = 0,
    keep: Annotated[
        bool, typer.Option("--keep", help="Leave the drill's folder, to look into it.")
    ] = False,
    record: Annotated[
        bool,
        typer.Option("--record", help="Keep the JSON under benchmarks/results/ of a checkout."),
    ] = False,
    as_json: Json = False,
) -> None:
    """Rehearse disasters: servers killed under load, recovered, every write compared.

    Each drill runs a platform of its own in a temporary folder here, which is removed again. Ends
    with status 1 when a drill fails.
    """
    if names == [LIST]:
        for one in SCENARIOS.values():
            console.OUT.print(f"{one.name:<16} {one.summary}", highlight=False, soft_wrap=True)
        return
    chosen = _chosen(names, every)
    results = Results() if record else None
    reports = [_played(name, Plan(rate, seconds, events), keep=keep) for name in chosen]
    if results is not None:
        console.say(f"kept as {results.keep(reports)}")
    if as_json:
        console.OUT.print_json(json.dumps({"drills": reports}))
    else:
        _show(reports)
    if not all(one["passed"] for one in reports):
        raise typer.Exit(1)


def _chosen(names: list[str] | None, every: bool) -> list[str]:
    chosen = list(SCENARIOS) if every else names or []
    unknown = [one for one in chosen if one not in SCENARIOS]
    if unknown or not chosen:
        raise typer.BadParameter(
            f"one or more of {', '.join(SCENARIOS)}, or --all", param_hint="NAMES"
        )
    return chosen


def _played(name: str, plan: Plan, *, keep: bool) -> dict[str, Any]:
    console.say(f"drill {name}")
    folder = Path(tempfile.mkdtemp(dir=Path.cwd(), prefix=".careline-drill-"))
    try:
        return asyncio.run(rehearse(SCENARIOS[name], plan, folder, console.say)).as_json()
    except Exception as error:
        # A step that failed is a drill that failed; the others are still worth playing.
        line = line_of(error)
        if line is None:
            raise
        return failed(name, line)
    finally:
        if keep:
            console.say(f"{name} is kept in {folder}")
        else:
            shutil.rmtree(folder)


def _show(reports: list[dict[str, Any]]) -> None:
    columns = (
        "rate",
        "acknowledged",
        "lost",
        "rpo_seconds",
        "rto_seconds",
        "relay_lag_p99_seconds",
    )
    table = Table("drill", *columns, "verdict", box=None)
    for one in reports:
        verdict = "[green]passed[/green]" if one["passed"] else "[red]FAILED[/red]"
        table.add_row(one["name"], *(_cell(one.get(column)) for column in columns), verdict)
    where = console.Output(width=TABLE_WIDTH, highlight=False)
    where.print(table)
    for one in reports:
        for reason in one["reasons"]:
            where.print(f"  {one['name']}: {reason}", markup=False, soft_wrap=True)
        for phase, took in one.get("phases", {}).items():
            where.print(f"  {one['name']}: {took:8.3f} s {phase}", markup=False)


def _cell(value: object) -> str:
    if isinstance(value, dict):
        return ", ".join(f"{count} {kind}" for kind, count in value.items())
    return "-" if value is None else str(value)
