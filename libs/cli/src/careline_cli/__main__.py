"""The careline command."""

from pathlib import Path
from typing import Annotated

import typer

from careline_cli.lazy_commands import LazyCommands

app = typer.Typer(
    cls=LazyCommands,
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    # Plain help and usage errors: Rich's would take twice as long to import as all the rest.
    rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"]},
    help="Careline: the contact-centre platform for a health system's patient line.",
)


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
    context.obj = data_dir


def main() -> None:
    """Run the command; an error that people can act on is one line."""
    try:
        app()
    except Exception as error:
        # Imported now: what shows errors knows more libraries than most commands use.
        from careline_cli import console  # noqa: PLC0415
        from careline_cli.error_line import line_of  # noqa: PLC0415

        line = line_of(error)
        if line is None:
            raise
        console.fail(line)


if __name__ == "__main__":
    main()
