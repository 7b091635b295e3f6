"""What several commands share: an option, and the data directory that stands before their names."""

from pathlib import Path
from typing import Annotated

import typer
from runtime.service_names import SERVICES

from careline_cli.platform.data_directory import DataDirectory

PublicKeysFile = Annotated[
    Path | None,
    typer.Option("--public-keys", help="A file of `careline archive keys`, instead of Vault's."),
]
Json = Annotated[bool, typer.Option("--json", help="Print JSON for machines.")]


def chosen_services(service: str) -> tuple[str, ...]:
    """Give one service, or all of them for none; raises BadParameter for an unknown one."""
    if service and service not in SERVICES:
        raise typer.BadParameter(f"one of: {', '.join(SERVICES)}", param_hint="--service")
    return (service,) if service else SERVICES


def data_of(context: typer.Context) -> DataDirectory:
    folder: Path = context.obj
    return DataDirectory.of(folder)
