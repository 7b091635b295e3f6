"""`careline demo`: plays a contact and shows what the services have on record of it."""

import asyncio
import json
from typing import Annotated

import typer
from rich.table import Table

from careline_cli import console
from careline_cli.commands.options import Json, data_of
from careline_cli.contact.play import Played, play
from careline_cli.contact.timeline import Timeline
from careline_cli.demo_setup import demo_patient, require_accounts
from careline_cli.operator_token import OperatorToken
from careline_cli.platform.data_directory import DataDirectory


def demo(
    context: typer.Context,
    *,
    patient: Annotated[
        str | None, typer.Option("--patient", help="Full name of any patient in the store.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Play one contact by SMS and chat, and one by voice, and print their timelines."""
    asyncio.run(play_and_show(data_of(context), patient=patient, as_json=as_json))


async def play_and_show(data: DataDirectory, *, patient: str | None, as_json: bool) -> None:
    """Play both contacts and print what audit and conversations know of them."""
    addresses = data.addresses()
    operator = OperatorToken(data, addresses)
    played = await play(
        addresses.services,
        require_accounts(data),
        operator.token,
        patient or demo_patient(),
        console.say,
    )
    if as_json:
        console.OUT.print_json(json.dumps(_as_json(played)))
        return
    _show("A patient texts in, is verified, is answered, and goes on in web chat", played.sms)
    _show("A caller fails verification and is told nothing", played.voice)


def _show(title: str, timeline: Timeline) -> None:
    table = Table("time", "service", "channel", "actor", "event", title=title, title_justify="left")
    for line in timeline.lines:
        clock = line.time.strftime("%H:%M:%S.%f")[:-3]
        table.add_row(clock, line.service, line.channel, line.actor, line.event)
    console.OUT.print(table)
    console.OUT.print(
        f"{timeline.conversation} · trace {timeline.trace} · "
        f"{len(timeline.disclosures)} disclosures",
        highlight=False,
    )
    for access in timeline.disclosures:
        console.OUT.print(
            f"  {access.service}: {', '.join(access.resource_types)} of {access.patient} to "
            f"{access.recipient.name} for {access.purpose_of_use}, caller {access.caller_level}",
            highlight=False,
        )


def _as_json(played: Played) -> dict[str, object]:
    return {
        "patient": played.patient,
        "contacts": [_contact(played.sms), _contact(played.voice)],
    }


def _contact(timeline: Timeline) -> dict[str, object]:
    return {
        "conversation": timeline.conversation,
        "trace_id": timeline.trace,
        "timeline": [line.as_json() for line in timeline.lines],
        "disclosures": [
            {
                "patient": access.patient,
                "recipient": access.recipient.name,
                "service": access.service,
                "action": access.action,
                "purpose_of_use": access.purpose_of_use,
                "resource_types": list(access.resource_types),
                "caller_level": access.caller_level,
                "event_id": access.event_id,
            }
            for access in timeline.disclosures
        ],
    }
