"""Erases a patient: the patient's key goes, and those of all that is about this patient alone."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.exc import ProgrammingError
from sqlalchemy.ext.asyncio import AsyncConnection

from sealing.keyring.errors import ErasureNotPermitted, ErasureRequestReused
from sealing.keyring.sessions import Against, Sessions
from sealing.keyring.statements import statement

_INSUFFICIENT_PRIVILEGE = "42501"


@dataclass(frozen=True, slots=True)
class Kept:
    """A subject about the erased patient that stays, because it is about these patients too."""

    subject: str
    patients: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Erasure:
    """What one request erased, the patient included, and what it kept and why."""

    tenant: str
    patient: str
    request_id: str
    erased_at: datetime
    erased: tuple[str, ...]
    kept: tuple[Kept, ...]


class Erasures:
    """Erases by request, in one transaction each, as the role keyring_eraser."""

    def __init__(self, sessions: Sessions) -> None:
        self._sessions = sessions

    async def erase(
        self, tenant: str, patient: str, request_id: str, *, known: Collection[str] = ()
    ) -> Erasure:
        """Erase, or answer a repeated request as the first time.

        A later request for the same patient erases what has become this patient's alone since.
        `known` are subjects that went with the patient before the keyring came back from a backup,
        whatever it knows of their links.
        Raises ErasureRequestReused, ErasureNotPermitted.
        """
        async with self._sessions.begin(tenant, Against.EVERYTHING) as connection:
            await _become_eraser(connection)
            done = await _recall(connection, tenant, request_id)
            if done is None:
                return await _erase(connection, tenant, patient, request_id, known)
        if done.patient != patient:
            raise ErasureRequestReused(request_id)
        return done


async def _become_eraser(connection: AsyncConnection) -> None:
    try:
        await connection.execute(statement("become_eraser"))
    except ProgrammingError as error:
        if getattr(error.orig, "sqlstate", None) == _INSUFFICIENT_PRIVILEGE:
            raise ErasureNotPermitted from error
        raise


async def _recall(connection: AsyncConnection, tenant: str, request_id: str) -> Erasure | None:
    request = {"tenant": tenant, "request_id": request_id}
    row = (await connection.execute(statement("read_erasure"), request)).one_or_none()
    if row is None:
        return None
    erased = (await connection.execute(statement("read_erased"), request)).scalars()
    kept = await connection.execute(statement("read_kept"), request)
    return Erasure(
        tenant,
        row.patient,
        request_id,
        row.erased_at,
        tuple(erased),
        tuple(Kept(each.subject, tuple(each.patients)) for each in kept),
    )


async def _erase(
    connection: AsyncConnection,
    tenant: str,
    patient: str,
    request_id: str,
    known: Collection[str],
) -> Erasure:
    reached, shared = await _reach(connection, tenant, {patient, *known})
    request = {"tenant": tenant, "request_id": request_id}
    erased_at = await connection.scalar(
        statement("insert_erasure"), {**request, "patient": patient}
    )
    erased = await connection.scalars(
        statement("insert_tombstones"), {**request, "subjects": sorted(reached)}
    )
    erased_now = tuple(sorted(erased))
    await connection.execute(
        statement("delete_keys"), {"tenant": tenant, "subjects": sorted(reached)}
    )
    kept = tuple(Kept(subject, tuple(sorted(shared[subject]))) for subject in sorted(shared))
    reasons = [(each.subject, owner) for each in kept for owner in each.patients]
    await connection.execute(
        statement("insert_kept"),
        {
            **request,
            "subjects": [subject for subject, _ in reasons],
            "patients": [owner for _, owner in reasons],
        },
    )
    return Erasure(tenant, patient, request_id, erased_at, erased_now, kept)


async def _reach(
    connection: AsyncConnection, tenant: str, reached: set[str]
) -> tuple[set[str], Mapping[str, set[str]]]:
    """Find what goes with these, and what stays with the patients that it stays for.

    A subject goes when every patient it is linked to goes or has gone before; one that goes takes
    along what is linked to it, as a merged patient its conversations.
    """
    owners: dict[str, set[str]] = {}
    gone: set[str] = set()
    new = reached
    while new:
        links = await connection.execute(
            statement("read_reach"), {"tenant": tenant, "patients": sorted(new)}
        )
        for link in links:
            living = owners.setdefault(link.subject, set())
            if not link.patient_erased:
                living.add(link.patient)
            if link.subject_erased:
                gone.add(link.subject)
        new = {subject for subject in owners if owners[subject] <= reached} - reached
        reached = reached | new
    kept = {
        subject: living - reached
        for subject, living in owners.items()
        if subject not in reached | gone
    }
    return reached, kept
