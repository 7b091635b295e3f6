"""Plays a contact and shows what the services have on record of it."""

import json

from careline_cli import console
from careline_cli.contact.accounts import require_accounts
from careline_cli.contact.play import Played, play
from careline_cli.contact.timeline import Timeline
from careline_cli.demo_setup import demo_patients
from careline_cli.operator_token import OperatorToken
from careline_cli.platform.data_directory import DataDirectory

ACTOR_WIDTH = 52


async def play_and_show(data: DataDirectory, *, patient: str | None, as_json: bool) -> None:
    """Play both contacts and print what audit and conversations know of them."""
    addresses = data.addresses()
    operator = OperatorToken(data, addresses)
    played = await play(
        addresses.services,
        require_accounts(data.demo_accounts_file),
        data.agent_token_file,
        operator.token,
        [patient] if patient else demo_patients(),
        console.say,
    )
    if as_json:
        console.OUT.print_json(json.dumps(_as_json(played)))
        return
    _show("A patient texts in, is verified, is answered, and goes on in web chat", played.sms)
    _show("A caller fails verification and is told nothing", played.voice)


def _show(title: str, timeline: Timeline) -> None:
    lines = ["", title, ""]
    for line in timeline.lines:
        clock = line.time.strftime("%H:%M:%S.%f")[:-3]
        actor = line.actor.ljust(ACTOR_WIDTH)
        lines.append(f"  {clock}  {line.service:<15}  {line.channel:<5}  {actor}  {line.event}")
    disclosures = len(timeline.disclosures)
    lines += ["", f"  {timeline.conversation}  trace {timeline.trace}  {disclosures} disclosures"]
    for access in timeline.disclosures:
        shown = ", ".join(access.resource_types)
        lines.append(
            f"  {access.service} to {access.recipient.name} of {access.patient} for "
            f"{access.purpose_of_use}, caller {access.caller_level}: {shown}"
        )
    console.OUT.print("\n".join(lines), soft_wrap=True, highlight=False, markup=False)


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
