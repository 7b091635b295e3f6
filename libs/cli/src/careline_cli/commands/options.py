"""What several commands share: an option, and the data directory that stands before their names."""

from pathlib import Path
from typing import Annotated

import typer

from careline_cli.platform.data_directory import DataDirectory

Json = Annotated[bool, typer.Option("--json", help="Print JSON for machines.")]


def data_of(context: typer.Context) -> DataDirectory:
    folder: Path = context.obj
    return DataDirectory.of(folder)
