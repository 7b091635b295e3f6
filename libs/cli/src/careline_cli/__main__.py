"""The careline command."""

from pathlib import Path
from typing import Annotated

import typer

from careline_cli import console
from careline_cli.commands.call import call
from careline_cli.commands.demo import demo
from careline_cli.commands.down import down
from careline_cli.commands.events import events
from careline_cli.commands.ingest import ingest_files
from careline_cli.commands.status import status
from careline_cli.commands.token import token
from careline_cli.commands.up import up
from careline_cli.platform.data_directory import DataDirectory

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
    help="Careline: the contact-centre platform for a health system's patient line.",
)
app.command()(up)
app.command()(down)
app.command()(status)
app.command()(demo)
app.command("ingest")(ingest_files)
app.command()(token)
app.command()(call)
app.command()(events)


@app.callback()
def careline(
    context: typer.Context,
    data_dir: Annotated[
        Path,
        typer.Option(
            "--data-dir", file_okay=False, help="Where a platform keeps everything it writes."
        ),
    ] = Path(".careline"),
) -> None:
    """Run a platform on this machine, and look into it."""
    context.obj = DataDirectory.of(data_dir)


def main() -> None:
    """Run the command; an error that people can act on is one line."""
    try:
        app()
    except BaseException as error:
        line = console.line_of(error)
        if line is None:
            raise
        console.fail(line)


if __name__ == "__main__":
    main()
