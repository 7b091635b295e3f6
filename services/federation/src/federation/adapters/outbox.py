"""What waits to go into the partners' streams, numbered as those streams number it."""

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from messaging.retraction import Retraction
from runtime.database.tenant_session import tenant_session
from sqlalchemy import Row, case, delete, insert, select, update
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from federation.adapters import tables
from federation.application.forwarding import Forwarded
from federation.application.partners import Partner

_log = logging.getLogger(__name__)
PREVIOUS_POSITION: Final = "careline-previous-position"
MOST_WAITING: Final = 100_000


@dataclass(frozen=True, slots=True)
class Waiting:
    """A message and the sequence that the partner's stream will give it."""

    sequence: int
    message: Forwarded


class PostgresOutbox:
    """Rows of `outgoing` behind a counter a partner in `forwarding`."""

    def __init__(self, engine: AsyncEngine, *, most_waiting: int = MOST_WAITING) -> None:
        self._engine = engine
        self._most_waiting = most_waiting

    async def put(
        self,
        connection: AsyncConnection,
        partner: Partner,
        message: Forwarded,
        *,
        epoch: int,
        position: int,
        always: bool = False,
    ) -> None:
        """Add a message behind all others of the partner's, in the caller's transaction.

        Beyond the most that may wait it is left out unless it is `always` to be there: the next
        one's previous position, which is not its predecessor's, tells the partner so.
        """
        row = await self._next(connection, partner, epoch, position)
        if row.sequence - row.delivered > self._most_waiting and not always:
            await self._take_back(connection, partner)
            _log.error("an event was left out for a partner", extra={"partner": partner.name})
            return
        headers = {**message.headers, PREVIOUS_POSITION: str(row.previous_position)}
        await connection.execute(
            insert(tables.outgoing).values(
                tenant=partner.tenant,
                partner=partner.name,
                sequence=row.sequence,
                subject=message.subject,
                headers=headers,
                data=message.data,
            )
        )

    async def given_beyond(
        self, connection: AsyncConnection, retraction: Retraction
    ) -> frozenset[tuple[str, str]]:
        """Tell by tenant and name who was given a retracted event; for a session of all tenants.

        The last one given decides: no position is given out twice, in whichever epoch.
        """
        table = tables.forwarding
        query = select(table.c.tenant, table.c.partner).where(
            table.c.epoch <= retraction.from_epoch, table.c.position > retraction.after
        )
        rows = await connection.execute(query)
        return frozenset((row.tenant, row.partner) for row in rows)

    async def waiting(self, partner: Partner, limit: int) -> list[Waiting]:
        """Give the first messages that wait, in order."""
        table = tables.outgoing
        query = (
            select(table)
            .where(table.c.tenant == partner.tenant, table.c.partner == partner.name)
            .order_by(table.c.sequence)
            .limit(limit)
        )
        async with tenant_session(self._engine, partner.tenant) as connection:
            rows: Sequence[Row[Any]] = (await connection.execute(query)).all()
        return [
            Waiting(row.sequence, Forwarded(row.subject, row.headers, row.data)) for row in rows
        ]

    async def next_sequence(self, partner: Partner) -> int:
        """Give the sequence of the first message that the partner's stream is still to have."""
        table = tables.forwarding
        query = select(table.c.delivered).where(
            table.c.tenant == partner.tenant, table.c.partner == partner.name
        )
        async with tenant_session(self._engine, partner.tenant) as connection:
            return (await connection.scalar(query) or 0) + 1

    async def delivered(self, partner: Partner, sequence: int) -> None:
        """Forget messages up to a sequence: the partner's stream has them."""
        waiting, counter = tables.outgoing, tables.forwarding
        async with tenant_session(self._engine, partner.tenant) as connection:
            await connection.execute(
                delete(waiting).where(
                    waiting.c.tenant == partner.tenant,
                    waiting.c.partner == partner.name,
                    waiting.c.sequence <= sequence,
                )
            )
            await connection.execute(
                update(counter)
                .where(
                    counter.c.tenant == partner.tenant,
                    counter.c.partner == partner.name,
                    counter.c.delivered < sequence,
                )
                .values(delivered=sequence)
            )

    async def drop(self, partner: Partner) -> None:
        """Forget all that waits for a partner who receives nothing more."""
        table = tables.outgoing
        async with tenant_session(self._engine, partner.tenant) as connection:
            await connection.execute(
                delete(table).where(
                    table.c.tenant == partner.tenant, table.c.partner == partner.name
                )
            )

    async def _next(
        self, connection: AsyncConnection, partner: Partner, epoch: int, position: int
    ) -> Row[Any]:
        table = tables.forwarding
        first = upsert(table).values(
            tenant=partner.tenant,
            partner=partner.name,
            sequence=1,
            delivered=0,
            epoch=epoch,
            position=position,
            previous_position=0,
        )
        statement = first.on_conflict_do_update(
            index_elements=["tenant", "partner"],
            set_={
                "sequence": table.c.sequence + 1,
                "epoch": epoch,
                "position": position,
                # Positions of two epochs have nothing to do with each other.
                "previous_position": case((table.c.epoch == epoch, table.c.position), else_=0),
            },
        ).returning(table.c.sequence, table.c.delivered, table.c.previous_position)
        return (await connection.execute(statement)).one()

    async def _take_back(self, connection: AsyncConnection, partner: Partner) -> None:
        table = tables.forwarding
        await connection.execute(
            update(table)
            .where(table.c.tenant == partner.tenant, table.c.partner == partner.name)
            .values(sequence=table.c.sequence - 1)
        )
