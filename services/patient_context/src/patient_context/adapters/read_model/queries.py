"""Reads patients again: by name, or by the tokens that they have in common with a search."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final

from careline.patient_context.events.v1 import events_pb2 as events
from google.protobuf.message import Message
from runtime.database.tenant_session import session_of_all_tenants, tenant_session
from sealing.sealer import Place, Sealer
from sqlalchemy import (
    ColumnElement,
    Row,
    Select,
    Table,
    bindparam,
    func,
    literal,
    select,
    union_all,
)
from sqlalchemy.ext.asyncio import AsyncEngine

from patient_context.adapters.read_model import tables
from patient_context.application.erasures import PendingErasure
from patient_context.application.known_patient import KnownPatient
from patient_context.domain.consent import Consent, Decision
from patient_context.domain.moment import moment

_LOG: Final = "patient_context"
_TYPES: Final[Mapping[str, type[Message]]] = {
    kind.DESCRIPTOR.full_name: kind
    for kind in (
        events.PatientRegistered,
        events.PatientDemographicsChanged,
        events.ConsentRecorded,
        events.ClinicalRecordTakenIn,
    )
}


class PatientRows:
    """Opens what the projection wrote; what was erased meanwhile is not there."""

    def __init__(self, engine: AsyncEngine, sealer: Sealer) -> None:
        self._engine = engine
        self._sealer = sealer

    async def patient(self, tenant: str, name: str) -> KnownPatient | None:
        """Give all that is known of a patient, None for nobody."""
        async with tenant_session(self._engine, tenant) as connection:
            rows = (await connection.execute(_OF_PATIENTS, _of(tenant, [name]))).all()
        found = await self._open(tenant, rows)
        return found[0] if found else None

    async def candidates(
        self, tenant: str, tokens: Collection[bytes], *, after: str, limit: int
    ) -> list[KnownPatient]:
        """Give patients that have all the tokens, without their records, in order of name."""
        table = tables.patient_token
        matching = (
            select(table.c.patient)
            .where(table.c.tenant == tenant, table.c.token.in_(tokens), table.c.patient > after)
            .group_by(table.c.patient)
            .having(func.count() == len(tokens))
            .order_by(table.c.patient)
            .limit(limit)
        )
        async with tenant_session(self._engine, tenant) as connection:
            names = list((await connection.execute(matching)).scalars())
            rows = (await connection.execute(_WITHOUT_RECORDS, _of(tenant, names))).all()
        return await self._open(tenant, rows)

    async def _open(self, tenant: str, rows: Sequence[Row[Any]]) -> list[KnownPatient]:
        """Open rows of any number of patients by one query for keys."""
        sealed = [
            (
                _TYPES[row.type].FromString(row.data),
                Place(_LOG, tenant, row.patient, row.event_id),
            )
            for row in rows
        ]
        opened = await self._sealer.open_many(sealed)
        known: dict[str, _Opened] = {}
        for row, one in zip(rows, opened, strict=True):
            if not one.erased:
                known.setdefault(row.patient, _Opened()).add(row, one.message)
        return [
            KnownPatient(
                name,
                one.person.demographics,
                one.person.deceased,
                [entry for part in one.whole_record() for entry in part.entries],
                one.consents,
            )
            for name, one in sorted(known.items())
            if one.person is not None
        ]


@dataclass(slots=True)
class _Opened:
    """What the rows of one patient say."""

    person: events.PatientRegistered | events.PatientDemographicsChanged | None = None
    consents: list[Consent] = field(default_factory=list)
    records: dict[bytes, list[tuple[int, events.ClinicalRecordTakenIn]]] = field(
        default_factory=dict
    )

    def add(self, row: Row[Any], message: Message) -> None:
        match message:
            case events.PatientRegistered() | events.PatientDemographicsChanged():
                self.person = message
            case events.ConsentRecorded():
                self.consents.append(_consent(message))
            case events.ClinicalRecordTakenIn():
                parts = self.records.setdefault(message.content_digest, [])
                parts.append((row.position, message))
            case _:
                raise TypeError(f"{row.type} is none of the read model's types")

    def whole_record(self) -> list[events.ClinicalRecordTakenIn]:
        """Give the parts of the newest record that is there whole, in order."""
        whole = [parts for parts in self.records.values() if len(parts) == parts[0][1].parts]
        newest = max(whole, key=lambda parts: max(position for position, _ in parts), default=[])
        return sorted((part for _, part in newest), key=lambda part: part.part)


async def pending_erasures(
    engine: AsyncEngine, *, before: datetime, limit: int = 100
) -> list[PendingErasure]:
    """Give erasures of any tenant that were requested before a time and are not done, the oldest
    first.
    """
    table = tables.pending_erasure
    query = select(table).where(table.c.request_time < before)
    async with session_of_all_tenants(engine) as connection:
        rows = await connection.execute(query.order_by(table.c.request_time).limit(limit))
        return [PendingErasure(row.tenant, row.patient, row.event_id) for row in rows]


def _rows(table: Table, kind: ColumnElement[str], position: ColumnElement[int]) -> Select[Any]:
    """Select the sealed events of a table, in columns that all tables share.

    Row-level security holds the tenant; that the query names it, too, is for the index.
    """
    columns = table.c
    return select(
        columns.patient,
        columns.event_id,
        kind.label("type"),
        columns.data,
        position.label("position"),
    ).where(
        columns.tenant == bindparam("tenant"),
        columns.patient.in_(bindparam("names", expanding=True)),
    )


def _of(tenant: str, names: Sequence[str]) -> dict[str, Any]:
    return {"tenant": tenant, "names": names}


def _name(kind: type[Message]) -> ColumnElement[str]:
    return literal(kind.DESCRIPTOR.full_name)


_PEOPLE: Final = _rows(tables.patient, tables.patient.c.type, literal(0))
_CONSENTS: Final = _rows(tables.consent, _name(events.ConsentRecorded), literal(0))
_PARTS: Final = _rows(
    tables.record_part, _name(events.ClinicalRecordTakenIn), tables.record_part.c.position
)
_OF_PATIENTS: Final = union_all(_PEOPLE, _CONSENTS, _PARTS)
_WITHOUT_RECORDS: Final = union_all(_PEOPLE, _CONSENTS)


def _consent(recorded: events.ConsentRecorded) -> Consent:
    return Consent(
        Decision(recorded.decision),
        frozenset(recorded.purposes_of_use),
        frozenset(recorded.resource_types),
        moment(recorded.start_time),
        moment(recorded.end_time) if recorded.HasField("end_time") else None,
    )
