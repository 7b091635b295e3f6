"""Makes the read model of the trail: rows of accesses and actions, and how far each log is in."""

from collections.abc import Sequence
from datetime import UTC
from importlib.resources import files
from typing import Any, Final
from uuid import UUID

from careline.audit.events.v1.events_pb2 import ActionRecorded, DisclosureRecorded, Source
from eventstore.event import RecordedEvent
from eventstore.projection import ReadModel
from eventstore.projection import Row as Stored
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from audit.adapters import tables

ACTION: Final = ActionRecorded.DESCRIPTOR.full_name
DISCLOSURE: Final = DisclosureRecorded.DESCRIPTOR.full_name
Row = dict[str, Any]


class TrailProjection:
    """The trail as rows."""

    name: Final = "trail"
    version: Final = 1
    types: Final = frozenset({ACTION, DISCLOSURE})
    model: Final = ReadModel(
        files("audit.adapters") / "projection.sql",
        (tables.access, tables.action, tables.coverage),
    )

    async def apply(self, connection: AsyncConnection, events: Sequence[RecordedEvent]) -> None:
        """Add a row an entry, and say of each log how far it is in."""
        accesses: list[Row] = []
        actions: list[Row] = []
        covered: dict[str, Row] = {}
        for event in events:
            tenant = event.stream.tenant
            if event.type == DISCLOSURE:
                disclosure = DisclosureRecorded.FromString(event.data)
                source = disclosure.source
                accesses.append(_access(tenant, disclosure))
                actions.append(_disclosing_action(tenant, disclosure))
            else:
                recorded = ActionRecorded.FromString(event.data)
                source = recorded.source
                actions.append(_action(tenant, recorded))
            covered[source.service] = {
                "service": source.service,
                "epoch": source.epoch,
                "position": source.position,
                "take_in_time": event.recorded_at,
            }
        for table, rows in ((tables.access, accesses), (tables.action, actions)):
            if rows:
                await connection.execute(insert(table), rows)
        statement = insert(tables.coverage)
        await connection.execute(
            statement.on_conflict_do_update(
                index_elements=["service"],
                set_={
                    name: statement.excluded[name] for name in ("epoch", "position", "take_in_time")
                },
            ),
            list(covered.values()),
        )

    async def opened(self, table: str, rows: Sequence[Stored]) -> Sequence[Stored]:
        """Give the rows as they are: nothing in them is sealed anew."""
        del table
        return rows


def _place(tenant: str, source: Source) -> Row:
    return {
        "tenant": tenant,
        "service": source.service,
        "epoch": source.epoch,
        "position": source.position,
        "event_id": UUID(source.event_id),
        "trace_id": source.trace_id,
    }


def _access(tenant: str, entry: DisclosureRecorded) -> Row:
    return _place(tenant, entry.source) | {
        "record": entry.source.stream,
        "patient": entry.patient,
        "recipient_kind": int(entry.recipient.kind),
        "recipient": entry.recipient.name,
        "action": entry.action,
        "purpose_of_use": entry.purpose_of_use,
        "resource_types": list(entry.resource_types),
        "conversation": entry.conversation,
        "caller_level": entry.caller_level,
        "disclose_time": entry.disclose_time.ToDatetime(UTC),
    }


def _disclosing_action(tenant: str, entry: DisclosureRecorded) -> Row:
    return _place(tenant, entry.source) | {
        "type": entry.source.type,
        "stream": entry.source.stream,
        "actor_kind": int(entry.recipient.kind),
        "actor": entry.recipient.name,
        "action": entry.action,
        "purpose_of_use": entry.purpose_of_use,
        "record_time": entry.source.record_time.ToDatetime(UTC),
    }


def _action(tenant: str, entry: ActionRecorded) -> Row:
    return _place(tenant, entry.source) | {
        "type": entry.source.type,
        "stream": entry.source.stream,
        "actor_kind": int(entry.actor.kind),
        "actor": entry.actor.name,
        "action": entry.action,
        "purpose_of_use": entry.purpose_of_use,
        "record_time": entry.source.record_time.ToDatetime(UTC),
    }
