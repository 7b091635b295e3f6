"""`careline projections`: builds read models anew beside the live ones, and switches to them."""

import asyncio
import json
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from enum import StrEnum
from typing import Annotated

import typer
from eventstore.archive.point import Point
from eventstore.postgres.builds import Build
from eventstore.rebuilding.rebuild import Rebuild, Rebuilt
from eventstore.rebuilding.scratch import scratch
from eventstore.rebuilding.switch import switch
from rich.table import Table

from careline_cli import console
from careline_cli.commands.moment import moment
from careline_cli.commands.options import Json, chosen_services, data_of
from careline_cli.progress import Shown, shown_progress
from careline_cli.projections.access import ProjectionAccess, external_access, local_access
from careline_cli.projections.explained import ProjectionsRefused, explained
from careline_cli.projections.report import (
    Listed,
    built_as_json,
    listed_as_json,
    rebuilt_as_json,
    rebuilt_lines,
)


class Action(StrEnum):
    """What to do."""

    LIST = "list"
    REBUILD = "rebuild"
    SWITCH = "switch"
    DROP = "drop"


@dataclass(frozen=True, slots=True)
class Named:
    """One projection of one service."""

    service: str
    name: str


def projections(
    context: typer.Context,
    action: Annotated[Action, typer.Argument(help="rebuild builds beside the live one.")],
    name: Annotated[str, typer.Argument(help="Which read model; see list.")] = "",
    *,
    service: Annotated[str, typer.Option("--service", help="Whose read model.")] = "",
    until: Annotated[
        str, typer.Option("--until", help="Rebuild as it was: a time with its zone, or a position.")
    ] = "",
    build: Annotated[
        int | None,
        typer.Option("--build", "--to", min=1, help="Which build to drop, or to switch to."),
    ] = None,
    external: Annotated[
        bool,
        typer.Option("--external", help="In the database that a service's environment names."),
    ] = False,
    as_json: Json = False,
) -> None:
    """Show, rebuild and verify, switch and drop builds of read models.

    Services may run, and their readers see the live build throughout. A rebuild that was broken
    off goes on where it was; it ends with status 1 unless what came out is verified.
    """
    if (action is Action.LIST) == bool(name):
        raise typer.BadParameter("every action but list needs one", param_hint="NAME")
    if action is Action.DROP and build is None:
        raise typer.BadParameter("to drop names one", param_hint="--build")
    if build is not None and action not in {Action.SWITCH, Action.DROP}:
        raise typer.BadParameter("only switch and drop take one", param_hint="--build")
    if until and action is not Action.REBUILD:
        raise typer.BadParameter("only rebuild takes it", param_hint="--until")
    # A position needs no --service here: the read model's name says whose log it is of.
    point = moment(until, "--until") if until else None
    services = chosen_services(service)
    opened = external_access() if external else local_access(data_of(context))
    asyncio.run(_run(opened, services, _Asked(action, name, point, build, as_json)))


@dataclass(frozen=True, slots=True)
class _Asked:
    action: Action
    name: str
    until: Point
    build: int | None
    as_json: bool


async def _run(
    opened: AbstractAsyncContextManager[ProjectionAccess],
    services: tuple[str, ...],
    asked: _Asked,
) -> None:
    with explained():
        async with opened as access:
            listed = [one for service in services for one in await _listed(access, service)]
            if asked.action is Action.LIST:
                _show_list(listed, as_json=asked.as_json)
                return
            named = _named(listed, asked.name)
            if asked.action is Action.DROP:
                await _drop(access, named, listed, asked)
                return
            with shown_progress(f"{named.service} {named.name}") as shown:
                await _feed(access, named, asked, shown)


async def _listed(access: ProjectionAccess, service: str) -> list[Listed]:
    owner = access.owner(service)
    builds, head = await owner.all(), await owner.head()
    return [Listed(service, build, size, head) for build, size in builds]


def _named(listed: list[Listed], name: str) -> Named:
    services = sorted({one.service for one in listed if one.build.projection == name})
    if not services:
        raise ProjectionsRefused(f"there is no read model {name}; see: careline projections list")
    if len(services) > 1:
        raise ProjectionsRefused(f"{name} is of {' and of '.join(services)}: give --service")
    return Named(services[0], name)


async def _drop(
    access: ProjectionAccess, named: Named, listed: list[Listed], asked: _Asked
) -> None:
    for one in listed:
        if (one.service, one.build.projection, one.build.number) == (*_key(named), asked.build):
            await access.owner(named.service).drop(one.build)
            _tell({"dropped": built_as_json(one.build)}, asked, f"dropped {one.build.place}")
            return
    raise ProjectionsRefused(f"{named.name} has no build {asked.build}")


def _key(named: Named) -> tuple[str, str]:
    return named.service, named.name


async def _feed(access: ProjectionAccess, named: Named, asked: _Asked, shown: Shown) -> None:
    owner = access.owner(named.service)
    async with access.source(*_key(named)) as source:
        if asked.action is Action.SWITCH:
            live = await switch(source, owner, asked.build, shown.progress)
            shown.end()
            _tell({"live": built_as_json(live)}, asked, f"build {live.number} is live")
        elif asked.until is not None:
            _show_scratch(await scratch(source, owner, asked.until, shown.progress), asked, shown)
        else:
            rebuilt = await Rebuild(source, owner, shown.progress).run()
            shown.end()
            _show_rebuilt(named, rebuilt, asked)


def _show_rebuilt(named: Named, rebuilt: Rebuilt, asked: _Asked) -> None:
    _tell({"rebuilt": rebuilt_as_json(rebuilt)}, asked, *rebuilt_lines(named.service, rebuilt))
    if not rebuilt.verified:
        raise typer.Exit(1)


def _show_scratch(build: Build, asked: _Asked, shown: Shown) -> None:
    shown.end()
    line = (
        f"schema {build.place} holds {build.projection} as of position {build.until}; when it was "
        f"looked at: careline projections drop {build.projection} --build {build.number}"
    )
    _tell({"scratch": built_as_json(build)}, asked, line)


def _show_list(listed: list[Listed], *, as_json: bool) -> None:
    if as_json:
        console.OUT.print_json(json.dumps({"builds": [listed_as_json(one) for one in listed]}))
        return
    table = Table(
        *("service", "projection", "build", "state", "version", "position", "head", "lag", "KiB"),
        box=None,
    )
    for one in listed:
        build = one.build
        numbers = (build.version, build.at.position, one.head.position, one.lag, one.size // 1024)
        table.add_row(
            one.service, build.projection, str(build.number), build.state, *map(str, numbers)
        )
    console.OUT.print(table)


def _tell(report: dict[str, object], asked: _Asked, *lines: str) -> None:
    if asked.as_json:
        console.OUT.print_json(json.dumps(report))
        return
    for line in lines:
        console.OUT.print(line, highlight=False, markup=False, soft_wrap=True)
