"""`careline demo`: plays a contact and shows what the services have on record of it."""

import asyncio
from typing import Annotated

import typer

from careline_cli.commands.options import Json, data_of
from careline_cli.show_contact import play_and_show


def demo(
    context: typer.Context,
    *,
    patient: Annotated[
        str | None, typer.Option("--patient", help="Full name of any patient in the store.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Play a contact by SMS and chat and one by voice; show both."""
    asyncio.run(play_and_show(data_of(context), patient=patient, as_json=as_json))
