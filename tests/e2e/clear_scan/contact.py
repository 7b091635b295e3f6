"""A contact that leaves traces of a patient everywhere: taken in, played, and one left open."""

import asyncio
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from careline_cli.contact.caller import new_request
from careline_cli.provision.provisioned import PLATFORM_DATABASE
from e2e.clear_scan.needles import WAITING, Needle, needles_of
from e2e.clear_scan.postgres_rows import connected
from e2e.clear_scan.servers import Servers
from e2e.conftest import Careline
from embedded.polling import until
from eventstore.archive.object_store import ArchiveStore
from eventstore.archive.overview import overview

# Alive and of age, with a phone; the name has no letter that only few know how to spell.
PATIENT = "Clemente_Kreiger_1484a42d-0eaf-4654-9cbf-6b050a5cd73b.json"
# Synthea gives nobody an e-mail address.
EMAIL = {"system": "email", "use": "home", "value": "clemente.kreiger@mail.example"}
CONVERSATIONS = "careline.conversations.v1.ConversationService"
# What was said last waits in the outbox, and JetStream has all that the log has.
SETTLED = """
select exists (select from conversations.outbox where status = 'QUEUED')
  and exists (
    select from conversations.relay_checkpoint
    where position >= (select max(position) from conversations.event)
  )
"""
SETTLED_SECONDS = 60.0


@dataclass(frozen=True, slots=True)
class Subject:
    """A patient, in a file of a FHIR R4 bundle."""

    file: Path
    resource: dict[str, Any]

    @property
    def full_name(self) -> str:
        name = self.resource["name"][0]
        return f"{' '.join(name['given'])} {name['family']}"

    @property
    def needles(self) -> frozenset[Needle]:
        return needles_of(self.resource)


def subject(bundles: Path, folder: Path) -> Subject:
    """Give a Synthea patient who has an e-mail address, too; the file is written into `folder`."""
    bundle = json.loads((bundles / PATIENT).read_text())
    resources = [entry["resource"] for entry in bundle["entry"]]
    patient = next(one for one in resources if one["resourceType"] == "Patient")
    patient["telecom"].append(EMAIL)
    file = folder / "bundle.json"
    file.write_text(json.dumps(bundle))
    return Subject(file, patient)


def play(careline: Careline, patient: Subject) -> None:
    """Take the patient in, play both contacts, and begin one more whose answer is not sent out."""
    taken_in = careline.json("ingest", str(patient.file), "--json")
    assert (taken_in["patients"], taken_in["refused"]) == (1, [])
    careline.run("demo", "--patient", patient.full_name)
    phone = "".join(filter(str.isdigit, patient.resource["telecom"][0]["value"]))
    started = _call(careline, "StartConversation", channel="CHANNEL_SMS", address=f"+1{phone}")
    _call(
        careline,
        "PostMessage",
        conversation=started["conversation"]["name"],
        author_kind="AUTHOR_KIND_BOT",
        channel="CHANNEL_SMS",
        text=WAITING,
    )


def _call(careline: Careline, method: str, **request: str) -> dict[str, Any]:
    body = json.dumps({"request_id": new_request(), **request})
    answer: dict[str, Any] = careline.json(
        "call", f"{CONVERSATIONS}/{method}", body, "--as", "frontend"
    )
    return answer


async def settled(servers: Servers) -> None:
    """Return once what was played has reached every store that it goes to."""
    archive = ArchiveStore(servers.data.archive.as_uri())
    async with (
        connected(servers.postgres, PLATFORM_DATABASE) as connection,
        asyncio.timeout(SETTLED_SECONDS),
    ):

        async def is_settled() -> bool:
            return bool(await connection.fetchval(SETTLED))

        async def is_archived() -> bool:
            archived = await overview(archive, "conversations")
            return archived is not None and archived.position >= last

        await until(is_settled)
        last = await connection.fetchval("select max(position) from conversations.event")
        await until(is_archived)
