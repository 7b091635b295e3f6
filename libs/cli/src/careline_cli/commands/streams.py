"""`careline streams`: holds services' streams against their logs, and makes them anew."""

import asyncio
import json
from collections.abc import Iterator
from contextlib import contextmanager
from enum import StrEnum
from typing import Annotated

import typer
from eventstore.errors import EventLogError
from eventstore.postgres.server_errors import SERVER_ERRORS
from eventstore.step_progress import StepProgress
from messaging import stream_upkeep
from messaging.connect import CredentialsRefused, NatsUnavailable
from messaging.denials import PermissionDenied
from messaging.lease import LeaseLost
from messaging.stream_check import StreamCheck
from messaging.stream_upkeep import LogMoved, ServiceRuns
from messaging.stuck import Stuck
from nats.errors import Error as NatsError
from rich.table import Table
from sqlalchemy.exc import SQLAlchemyError

from careline_cli import console
from careline_cli.command_error import CommandError
from careline_cli.commands.options import Json, chosen_services, data_of
from careline_cli.platform.data_directory import DataDirectory
from careline_cli.progress import shown_progress
from careline_cli.streams.access import StreamAccess, stream_access
from careline_cli.streams.report import as_json as report_of
from careline_cli.streams.report import faults


class Action(StrEnum):
    """What to do."""

    VERIFY = "verify"
    REBUILD = "rebuild"


class StreamsRefused(CommandError):
    """A stream could not be looked at or made anew; the text says why."""


def streams(
    context: typer.Context,
    action: Annotated[
        Action, typer.Argument(help="verify changes nothing; rebuild what is at fault.")
    ],
    *,
    service: Annotated[
        str, typer.Option("--service", help="Whose stream; all of them unless said.")
    ] = "",
    as_json: Json = False,
) -> None:
    """Compare services' logs with their streams, and make streams anew.

    Ends with status 1 unless every stream equals its log at the end. Services may run.
    """
    wanted = chosen_services(service)
    checks = asyncio.run(_all(data_of(context), wanted, rebuilds=action is Action.REBUILD))
    if as_json:
        console.OUT.print_json(json.dumps({"streams": [report_of(one) for one in checks]}))
    else:
        _show(checks)
    if not all(one.ok for one in checks):
        raise typer.Exit(1)


async def _all(
    data: DataDirectory, services: tuple[str, ...], *, rebuilds: bool
) -> list[StreamCheck]:
    access = await stream_access(data)
    checks = []
    for service in services:
        with _explained(service), shown_progress(service) as shown:
            checks.append(await _one(access, service, shown.progress, rebuilds=rebuilds))
    return checks


async def _one(
    access: StreamAccess, service: str, progress: StepProgress, *, rebuilds: bool
) -> StreamCheck:
    async with access.to_verify(service) as upkeep:
        found = await stream_upkeep.verify(upkeep, progress)
    if found.ok or not rebuilds:
        return found
    for line in faults(found):
        console.say(line)
    async with access.to_rebuild(service) as upkeep:
        return await stream_upkeep.rebuild(upkeep, found, progress)


@contextmanager
def _explained(service: str) -> Iterator[None]:
    """Turn what an operator can act on into one line."""
    try:
        yield
    except (ServiceRuns, LogMoved) as error:
        raise StreamsRefused(str(error)) from None
    except (
        Stuck,
        PermissionDenied,
        NatsUnavailable,
        CredentialsRefused,
        EventLogError,
        LeaseLost,
    ) as error:
        raise StreamsRefused(f"the stream of {service} was not done: {error}") from None
    except NatsError as error:
        raise _away(service, "NATS", error) from None
    except (SQLAlchemyError, *SERVER_ERRORS) as error:
        raise _away(service, "PostgreSQL", error) from None


def _away(service: str, server: str, error: Exception) -> StreamsRefused:
    return StreamsRefused(
        f"the stream of {service} was not done: {server} is away ({type(error).__name__}); "
        "see: careline status"
    )


def _show(checks: list[StreamCheck]) -> None:
    table = Table("service", "epoch", "events", "up to", "expired", "stream", box=None)
    for one in checks:
        state = "[green]equals its log[/green]" if one.ok else "[red]differs[/red]"
        numbers = (one.stretch.epoch, one.log.events, one.log.last_position, one.expired)
        table.add_row(one.stretch.service, *map(str, numbers), state)
    console.OUT.print(table)
    for one in checks:
        for line in faults(one):
            console.OUT.print(f"  {line}", highlight=False, markup=False, soft_wrap=True)
