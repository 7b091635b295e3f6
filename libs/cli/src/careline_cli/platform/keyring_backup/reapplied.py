"""Does again, in a keyring that came back from a backup, what the logs say was done to it since.

An erasure is on record before the keyring does it, and a link before anybody is told of it; so the
logs know all that the keyring forgot, except keys.
"""

from collections import defaultdict
from collections.abc import AsyncIterator, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from careline.conversations.events.v1.events_pb2 import PatientLinked
from careline.patient_context.events.v1.events_pb2 import PatientErased, PatientErasureRequested
from eventstore.event import RecordedEvent
from eventstore.postgres import PostgresEventLog
from eventstore.stream_id import StreamId
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
LINKS_AT_ONCE: Final = 500
CLOCKS: Final = timedelta(hours=1)
"""By how much a clock that was set meanwhile may have been wrong."""
_LINKED: Final = PatientLinked.DESCRIPTOR.full_name
_ERASED: Final = PatientErased.DESCRIPTOR.full_name
_REQUESTED: Final = PatientErasureRequested.DESCRIPTOR.full_name


@dataclass(frozen=True, slots=True)
class Reapplied:
    """Links since the base backup whose sides live, and patients that were erased or are to be."""

    links: int
    erased: int


async def reapply(databases: Databases, since: datetime) -> Reapplied:
    """Link, then erase, as the logs of conversations and patient_context say; again is a no-op.

    What the keyring came from has all links that were on record before `since`. Erasures it may
    lack whenever they were asked for: an erasure is done after it is on record.

    The keyring's superuser acts as the eraser; nobody may be served before this has ended. Raises
    KeyringError.
    """
    async with (
        superuser_engine(databases.platform, PLATFORM_DATABASE) as platform,
        superuser_engine(databases.keyring, KEYRING_DATABASE) as keyring,
    ):
        sessions = Sessions(keyring, timeout=SECONDS)
        linked = await _link(platform, Links(sessions), since)
        erased = await _erase(platform, Erasures(sessions))
    return Reapplied(linked, erased)


async def _link(platform: AsyncEngine, links: Links, since: datetime) -> int:
    done = 0
    async with PostgresEventLog(platform, "conversations") as log:
        async for tenant, some in _batches(log.read_log(types=[_LINKED]), since - CLOCKS):
            done += await links.add_living(tenant, some)
    return done


async def _batches(
    events: AsyncIterator[RecordedEvent], since: datetime
) -> AsyncIterator[tuple[str, list[tuple[str, str]]]]:
    """Give links of one tenant at a time, as many as one transaction takes."""
    waiting: defaultdict[str, list[tuple[str, str]]] = defaultdict(list)
    async for event in events:
        if event.recorded_at < since:
            continue
        tenant = event.stream.tenant
        patient = PatientLinked.FromString(event.data).patient
        waiting[tenant].append((event.stream.name, patient))
        if len(waiting[tenant]) == LINKS_AT_ONCE:
            yield tenant, waiting.pop(tenant)
    for tenant, some in waiting.items():
        yield tenant, some


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
