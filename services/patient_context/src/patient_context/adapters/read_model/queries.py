"""Reads patients again: by name, or by the tokens that they have in common with a search."""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Any, Final, TypeVar
from uuid import UUID

from careline.patient_context.events.v1 import events_pb2 as events
from google.protobuf.message import Message
from runtime.database.tenant_session import tenant_session
from sealing.sealer import Place, Sealer
from sqlalchemy import Row, Table, func, select
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from patient_context.adapters.read_model import tables
from patient_context.application.erasures import PendingErasure
from patient_context.application.known_patient import KnownPatient
from patient_context.domain.consent import Consent, Decision
from patient_context.domain.moment import moment

_LOG: Final = "patient_context"
_REGISTRATIONS: Final[Mapping[str, type[Message]]] = {
    kind.DESCRIPTOR.full_name: kind
    for kind in (events.PatientRegistered, events.PatientDemographicsChanged)
}
_M = TypeVar("_M", bound=Message)
_Sealed = tuple[Message, Place]


class PatientRows:
    """Opens what the projection wrote; what was erased meanwhile is not there."""

    def __init__(self, engine: AsyncEngine, sealer: Sealer) -> None:
        self._engine = engine
        self._sealer = sealer

    async def patient(self, tenant: str, name: str) -> KnownPatient | None:
        """Give all that is known of a patient, None for nobody."""
        async with tenant_session(self._engine, tenant) as connection:
            registrations = await _rows(connection, tables.patient, [name])
            consents = await _rows(connection, tables.consent, [name])
            parts = await _rows(connection, tables.record_part, [name])
        if not registrations:
            return None
        found = await self._open(tenant, registrations, consents, _whole(parts))
        return found[0] if found else None

    async def candidates(
        self, tenant: str, tokens: Collection[bytes], *, after: str, limit: int
    ) -> list[KnownPatient]:
        """Give patients that have all the tokens, without their records, in order of name."""
        table = tables.patient_token
        matching = (
            select(table.c.patient)
            .where(table.c.token.in_(tokens), table.c.patient > after)
            .group_by(table.c.patient)
            .having(func.count() == len(tokens))
            .order_by(table.c.patient)
            .limit(limit)
        )
        async with tenant_session(self._engine, tenant) as connection:
            names = list((await connection.execute(matching)).scalars())
            registrations = await _rows(connection, tables.patient, names)
            consents = await _rows(connection, tables.consent, names)
        return await self._open(tenant, registrations, consents, [])

    async def _open(
        self,
        tenant: str,
        registrations: Sequence[Row[Any]],
        consents: Sequence[Row[Any]],
        parts: Sequence[Row[Any]],
    ) -> list[KnownPatient]:
        """Open rows of any number of patients by one query for keys."""
        sealed = [_sealed(tenant, row, _REGISTRATIONS[row.type]) for row in registrations]
        sealed += [_sealed(tenant, row, events.ConsentRecorded) for row in consents]
        sealed += [_sealed(tenant, row, events.ClinicalRecordTakenIn) for row in parts]
        opened = await self._sealer.open_many(sealed)
        clear = [None if one.erased else one.message for one in opened]
        people, rest = clear[: len(registrations)], clear[len(registrations) :]
        decisions, records = rest[: len(consents)], rest[len(consents) :]
        return [
            KnownPatient(
                row.patient,
                person.demographics,
                person.deceased,
                [
                    entry
                    for part, record in zip(parts, records, strict=True)
                    if part.patient == row.patient
                    and isinstance(record, events.ClinicalRecordTakenIn)
                    for entry in record.entries
                ],
                [
                    _consent(decision)
                    for one, decision in zip(consents, decisions, strict=True)
                    if one.patient == row.patient and isinstance(decision, events.ConsentRecorded)
                ],
            )
            for row, person in zip(registrations, people, strict=True)
            if isinstance(person, events.PatientRegistered | events.PatientDemographicsChanged)
        ]


async def pending_erasures(
    engine: AsyncEngine, *, before: datetime, limit: int = 100
) -> list[PendingErasure]:
    """Give erasures of any tenant that were requested before a time and are not done, the oldest
    first.
    """
    table = tables.pending_erasure
    query = select(table).where(table.c.request_time < before)
    async with engine.begin() as connection:
        await connection.execute(_ALL_TENANTS)
        rows = await connection.execute(query.order_by(table.c.request_time).limit(limit))
        return [PendingErasure(row.tenant, row.patient, row.event_id) for row in rows]


_ALL_TENANTS: Final = select(func.set_config("careline.tenant", "*", True))


async def _rows(
    connection: AsyncConnection, table: Table, names: Sequence[str]
) -> Sequence[Row[Any]]:
    query = select(table).where(table.c.patient.in_(names)).order_by(table.c.patient)
    return (await connection.execute(query)).all()


def _whole(parts: Sequence[Row[Any]]) -> list[Row[Any]]:
    """Take the parts of the record that is there whole, in order."""
    by_digest: dict[bytes, list[Row[Any]]] = {}
    for row in parts:
        by_digest.setdefault(row.content_digest, []).append(row)
    whole = [rows for rows in by_digest.values() if len(rows) == rows[0].parts]
    newest = max(whole, key=lambda rows: max(row.position for row in rows), default=[])
    return sorted(newest, key=lambda row: row.part)


def _sealed(tenant: str, row: Row[Any], kind: type[_M]) -> _Sealed:
    event_id: UUID = row.event_id
    return kind.FromString(row.data), Place(_LOG, tenant, row.patient, event_id)


def _consent(recorded: events.ConsentRecorded) -> Consent:
    return Consent(
        Decision(recorded.decision),
        frozenset(recorded.purposes_of_use),
        frozenset(recorded.resource_types),
        moment(recorded.start_time),
        moment(recorded.end_time) if recorded.HasField("end_time") else None,
    )
