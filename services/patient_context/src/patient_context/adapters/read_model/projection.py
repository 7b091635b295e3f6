"""Makes the read model of patients from their events."""

from collections.abc import Sequence
from importlib.resources import files
from typing import Any, Final, Protocol

from careline.patient_context.events.v1 import events_pb2 as events
from eventstore.event import RecordedEvent
from eventstore.projection import ReadModel
from eventstore.projection import Row as Stored
from google.protobuf.message import Message
from sealing.blind_index import BlindIndex
from sealing.sealer import Opened
from sqlalchemy import ColumnElement, Table, and_, delete, func, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from patient_context.adapters.read_model import tables
from patient_context.adapters.read_model.tokens import INDEX_PURPOSE, tokens_of
from patient_context.domain.moment import moment

_TYPES: Final = (
    events.PatientRegistered,
    events.PatientDemographicsChanged,
    events.ClinicalRecordTakenIn,
    events.ConsentRecorded,
    events.ConsentRevoked,
    events.PatientErasureRequested,
    events.PatientErased,
)
_KNOWN: Final = (tables.patient, tables.record_part, tables.consent, tables.patient_token)


class Opener(Protocol):
    """Opens the sealed parts of events: runtime's LogCodec."""

    async def open(self, events: Sequence[RecordedEvent]) -> list[Opened[Message]]: ...


class IndexKeys(Protocol):
    """Derives keys for a tenant and purpose: sealing's Keyring."""

    async def index_key(self, tenant: str, purpose: str) -> bytes: ...


class PatientProjection:
    """Patients as rows; events are opened for their index tokens and never stored so."""

    name: Final = "patient"
    version: Final = 1
    types: Final = frozenset(kind.DESCRIPTOR.full_name for kind in _TYPES)
    model: Final = ReadModel(
        files("patient_context.adapters.read_model") / "projection.sql",
        (*_KNOWN, tables.pending_erasure),
    )

    def __init__(self, opener: Opener, keys: IndexKeys) -> None:
        self._opener = opener
        self._keys = keys

    async def apply(self, connection: AsyncConnection, events: Sequence[RecordedEvent]) -> None:
        """Write what the events change; what was erased meanwhile leaves nothing to write."""
        opened = await self._opener.open(events)
        indexes: dict[str, BlindIndex] = {}
        for event, content in zip(events, opened, strict=True):
            if not content.erased:
                index = await self._index(event.stream.tenant, indexes)
                await _write(connection, event, content.message, index)

    async def opened(self, table: str, rows: Sequence[Stored]) -> Sequence[Stored]:
        """Give the rows as they are: event bytes are kept as they are stored."""
        del table
        return rows

    async def _index(self, tenant: str, known: dict[str, BlindIndex]) -> BlindIndex:
        if tenant not in known:
            known[tenant] = BlindIndex(await self._keys.index_key(tenant, INDEX_PURPOSE))
        return known[tenant]


async def _write(
    connection: AsyncConnection, event: RecordedEvent, message: Message, index: BlindIndex
) -> None:
    match message:
        case events.PatientRegistered() | events.PatientDemographicsChanged():
            await _put(connection, event, tables.patient, type=event.type)
            await _replace_tokens(connection, event, tokens_of(message.demographics, index))
        case events.ClinicalRecordTakenIn():
            await _put_part(connection, event, message)
        case events.ConsentRecorded():
            await _put(connection, event, tables.consent, consent=message.consent)
        case events.ConsentRevoked():
            revoked = tables.consent.c.consent == message.consent
            await connection.execute(
                delete(tables.consent).where(_of_patient(tables.consent, event), revoked)
            )
        case events.PatientErasureRequested():
            await _forget(connection, event)
            pending = {
                **_key(event),
                "event_id": event.id,
                "request_time": moment(message.request_time),
            }
            await connection.execute(
                insert(tables.pending_erasure).on_conflict_do_nothing(), [pending]
            )
        case events.PatientErased():
            await connection.execute(
                delete(tables.pending_erasure).where(_of_patient(tables.pending_erasure, event))
            )
        case _:
            raise TypeError(f"{event.type} is none of the projection's types")


async def _put(
    connection: AsyncConnection,
    event: RecordedEvent,
    table: Table,
    **more: Any,  # noqa: ANN401  a column's value
) -> None:
    """Write a row that holds the event as it is stored, or let it take the place of another."""
    row = {**_key(event), "event_id": event.id, "data": event.data, **more}
    statement = insert(table).values(row)
    await connection.execute(
        statement.on_conflict_do_update(
            index_elements=table.primary_key.columns.keys(),
            set_={name: statement.excluded[name] for name in row},
        )
    )


async def _put_part(
    connection: AsyncConnection, event: RecordedEvent, part: events.ClinicalRecordTakenIn
) -> None:
    """Write a part; all of an older record goes that is behind the last part of a newer one."""
    table = tables.record_part
    await _put(
        connection,
        event,
        table,
        content_digest=part.content_digest,
        part=part.part,
        parts=part.parts,
        position=event.position,
    )
    of_patient = _of_patient(table, event)
    is_same = table.c.content_digest == part.content_digest
    count = select(func.count()).select_from(table).where(of_patient, is_same)
    there = await connection.scalar(count)
    if there == part.parts:
        await connection.execute(delete(table).where(of_patient, ~is_same))


async def _replace_tokens(
    connection: AsyncConnection, event: RecordedEvent, tokens: frozenset[bytes]
) -> None:
    table = tables.patient_token
    await connection.execute(delete(table).where(_of_patient(table, event)))
    rows = [{**_key(event), "token": token} for token in sorted(tokens)]
    if rows:
        await connection.execute(insert(table), rows)


async def _forget(connection: AsyncConnection, event: RecordedEvent) -> None:
    for table in _KNOWN:
        await connection.execute(delete(table).where(_of_patient(table, event)))


def _key(event: RecordedEvent) -> dict[str, Any]:
    return {"tenant": event.stream.tenant, "patient": event.stream.name}


def _of_patient(table: Table, event: RecordedEvent) -> ColumnElement[bool]:
    return and_(table.c.tenant == event.stream.tenant, table.c.patient == event.stream.name)
