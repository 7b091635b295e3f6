"""The commands of `careline`, one a file, which is imported when its command is asked for.

`COMMANDS` lists them with what each does; the function that runs one has the name of its module.
"""

from typing import Final

COMMANDS: Final = {
    "up": "Start everything on this machine and keep it running.",
    "down": "Stop the platform; its data stay.",
    "status": "Show each service's health, what it misses, and whether keys are on two disks.",
    "demo": "Play a contact by SMS and chat and one by voice; show both.",
    "ingest": "Take in FHIR R4: bundles (.json) and bulk exports (.ndjson).",
    "token": "Sign a demo principal in and print its token.",
    "call": "Call a method with JSON and print its answers as JSON.",
    "events": "Print events as they are stored: what is sealed prints as sealed.",
    "archive": "Show how far logs are archived, verify the archive, print its public keys.",
    "restore": "Bring logs back from their archive into an empty database of a stopped platform.",
    "keyring": "Back the keyring up, show that, rehearse a restore, restore a lost keyring.",
    "vault": "Take a snapshot of Vault, or bring a lost Vault back from one.",
    "streams": "Compare services' logs with their streams, and make streams anew.",
    "projections": "Show, rebuild and verify, switch and drop builds of read models.",
    "migrate": "Bring the schemas of databases elsewhere to their newest version.",
    "drill": "Rehearse disasters: servers killed under load, recovered, every write compared.",
    "bench": "Measure the store beside its ceilings and its peer.",
}
