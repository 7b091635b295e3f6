"""Commands whose modules are imported when they run, so that a list of them costs no import."""

from importlib import import_module
from typing import Any

import typer
from typer.core import TyperCommand, TyperGroup

from careline_cli.commands import COMMANDS


class LazyCommands(TyperGroup):
    """Lists commands by their summaries alone, and loads the one that is asked for."""

    def __init__(self, **attributes: Any) -> None:  # noqa: ANN401 - they are Typer's own
        super().__init__(**attributes)
        for name, summary in COMMANDS.items():
            self.add_command(TyperCommand(name, help=summary))

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:  # noqa: ANN401 - Click's private
        """Find a command by its name; raises Click's UsageError for an unknown one."""
        name, listed, rest = super().resolve_command(ctx, args)
        return name, listed and _loaded(name, dict(self.context_settings)), rest


def _loaded(name: str | None, settings: dict[str, Any]) -> Any:  # noqa: ANN401 - Click's private
    single = typer.Typer(add_completion=False, rich_markup_mode=None, context_settings=settings)
    single.command(name)(getattr(import_module(f"careline_cli.commands.{name}"), name or ""))
    return typer.main.get_command(single)
