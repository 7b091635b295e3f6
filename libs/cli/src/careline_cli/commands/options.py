"""Options that several commands share."""

from typing import Annotated

import typer

from careline_cli.platform.data_directory import DataDirectory

Json = Annotated[bool, typer.Option("--json", help="Print JSON for machines.")]


def data_of(context: typer.Context) -> DataDirectory:
    """Give the data directory that stands before the command's name."""
    data: DataDirectory = context.obj
    return data
