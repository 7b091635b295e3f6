"""Does again, in a keyring that came back from a backup, what the logs say was done to it since.

An erasure is on record before the keyring does it, and a link before anybody is told of it; so the
logs know all that the keyring forgot, except keys.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from careline.conversations.events.v1.events_pb2 import PatientLinked
from careline.patient_context.events.v1.events_pb2 import PatientErased, PatientErasureRequested
from eventstore.postgres import PostgresEventLog
from eventstore.stream_id import StreamId
from sealing.keyring import SubjectErased
from sealing.keyring.erasure import Erasures
from sealing.keyring.links import Links
from sealing.keyring.sessions import Sessions
from sqlalchemy.ext.asyncio import AsyncEngine

from careline_cli.provision.provisioned import (
    KEYRING_DATABASE,
    PLATFORM_DATABASE,
    Databases,
    superuser_engine,
)

SECONDS: Final = 60.0
_LINKED: Final = PatientLinked.DESCRIPTOR.full_name
_ERASED: Final = PatientErased.DESCRIPTOR.full_name
_REQUESTED: Final = PatientErasureRequested.DESCRIPTOR.full_name


@dataclass(frozen=True, slots=True)
class Reapplied:
    """Links that the logs know and whose sides live, and patients that were erased or are to be."""

    links: int
    erased: int


async def reapply(databases: Databases) -> Reapplied:
    """Link, then erase, as the logs of conversations and patient_context say; again is a no-op.

    The keyring's superuser acts as the eraser; nobody may be served before this has ended. Raises
    KeyringError.
    """
    async with (
        superuser_engine(databases.platform, PLATFORM_DATABASE) as platform,
        superuser_engine(databases.keyring, KEYRING_DATABASE) as keyring,
    ):
        sessions = Sessions(keyring, timeout=SECONDS)
        linked = await _link(platform, Links(sessions))
        erased = await _erase(platform, Erasures(sessions))
    return Reapplied(linked, erased)


async def _link(platform: AsyncEngine, links: Links) -> int:
    done = 0
    async with PostgresEventLog(platform, "conversations") as log:
        async for event in log.read_log(types=[_LINKED]):
            patient = PatientLinked.FromString(event.data).patient
            try:
                await links.add(event.stream.tenant, event.stream.name, patient)
            except SubjectErased:
                continue  # erased since, in the backup as in the log
            done += 1
    return done


async def _erase(platform: AsyncEngine, erasures: Erasures) -> int:
    gone: dict[StreamId, set[str]] = {}
    async with PostgresEventLog(platform, "patient_context") as log:
        async for event in log.read_log(types=[_REQUESTED, _ERASED]):
            gone.setdefault(event.stream, set()).update(_subjects(event.type, event.data))
    for patient, subjects in gone.items():
        # By the request id that patient_context uses: one erasure a patient.
        await erasures.erase(patient.tenant, patient.name, patient.name, known=subjects)
    return len(gone)


def _subjects(kind: str, data: bytes) -> Iterable[str]:
    return PatientErased.FromString(data).subjects if kind == _ERASED else ()
