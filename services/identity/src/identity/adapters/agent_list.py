"""The tenant's agents as rows: the sealed event that made each, and what changed since."""

from collections.abc import Sequence
from dataclasses import dataclass
from importlib.resources import files
from typing import Any, Final

from careline.identity.events.v1 import events_pb2 as events
from eventstore.event import RecordedEvent
from eventstore.projection import ReadModel
from eventstore.projection import Row as Stored
from runtime.database.tenant_session import tenant_session
from sealing.sealer import Place, Sealer
from sqlalchemy import (
    ARRAY,
    BigInteger,
    Boolean,
    Column,
    DateTime,
    LargeBinary,
    MetaData,
    Row,
    Table,
    Text,
    Uuid,
    insert,
    update,
)
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from identity.adapters.statements import statement
from identity.application.agent_account import AgentView

_CREATED: Final = events.AgentCreated.DESCRIPTOR.full_name
_ROLES: Final = events.AgentRolesAssigned.DESCRIPTOR.full_name
_SUSPENDED: Final = events.AgentSuspended.DESCRIPTOR.full_name
_LOG: Final = "identity"

AGENT: Final = Table(
    "agent",
    MetaData(schema="identity"),
    Column("tenant", Text, primary_key=True),
    Column("agent", Text, primary_key=True),
    Column("position", BigInteger),
    Column("created_by", Uuid),
    Column("created", LargeBinary),
    Column("create_time", DateTime(timezone=True)),
    Column("roles", ARRAY(Text)),
    Column("suspended", Boolean),
    Column("revision", BigInteger),
)


class AgentListProjection:
    """A row an agent. Its revision is that of the last event of its stream, factors included."""

    name: Final = "agents"
    version: Final = 1
    types: Final = frozenset(
        kind.DESCRIPTOR.full_name
        for kind in (
            events.AgentCreated,
            events.AgentRolesAssigned,
            events.AgentPasswordSet,
            events.AgentTotpEnrolled,
            events.AgentSuspended,
            events.AgentFactorFailed,
            events.AgentLockedOut,
            events.AgentFactorVerified,
        )
    )
    model: Final = ReadModel(files("identity.adapters") / "agent_list.sql", (AGENT,))

    async def apply(self, connection: AsyncConnection, events: Sequence[RecordedEvent]) -> None:
        for event in events:
            if event.type == _CREATED:
                await connection.execute(insert(AGENT).values(_row(event)))
            else:
                this = (AGENT.c.tenant == event.stream.tenant, AGENT.c.agent == event.stream.name)
                await connection.execute(update(AGENT).where(*this).values(_change(event)))

    async def opened(self, table: str, rows: Sequence[Stored]) -> Sequence[Stored]:
        """Give the rows as they are: event bytes are kept as they are stored."""
        del table
        return rows


@dataclass(frozen=True, slots=True)
class AgentPage:
    """Some agents, oldest first, and after which position the next page begins (0: no more)."""

    agents: tuple[AgentView, ...]
    next_after: int


class AgentList:
    """Lists the agents of a tenant."""

    def __init__(self, engine: AsyncEngine, sealer: Sealer) -> None:
        self._engine = engine
        self._sealer = sealer

    async def page(self, tenant: str, *, after: int, size: int) -> AgentPage:
        async with tenant_session(self._engine, tenant) as connection:
            found = await connection.execute(
                statement("list_agents"), {"tenant": tenant, "after": after, "limit": size + 1}
            )
            rows = found.all()
        shown = rows[:size]
        opened = await self._sealer.open_many(
            [
                (
                    events.AgentCreated.FromString(row.created),
                    Place(_LOG, tenant, row.agent, row.created_by),
                )
                for row in shown
            ]
        )
        agents = tuple(_view(row, one.message) for row, one in zip(shown, opened, strict=True))
        return AgentPage(agents, shown[-1].position if len(rows) > size else 0)


def _row(event: RecordedEvent) -> dict[str, Any]:
    return {
        "tenant": event.stream.tenant,
        "agent": event.stream.name,
        "position": event.position,
        "created_by": event.id,
        "created": event.data,
        "create_time": event.recorded_at,
        "roles": list(events.AgentCreated.FromString(event.data).roles),
        "suspended": False,
        "revision": event.revision,
    }


def _change(event: RecordedEvent) -> dict[str, Any]:
    change: dict[str, Any] = {"revision": event.revision}
    if event.type == _ROLES:
        change["roles"] = list(events.AgentRolesAssigned.FromString(event.data).roles)
    elif event.type == _SUSPENDED:
        change["suspended"] = True
    return change


def _view(row: Row[Any], created: events.AgentCreated) -> AgentView:
    return AgentView(
        row.agent,
        created.user_name,
        created.display_name,
        tuple(row.roles),
        row.suspended,
        row.revision,
        row.create_time,
    )
