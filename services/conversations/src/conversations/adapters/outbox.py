"""Reads what waits for frontends, and opens it."""

from collections.abc import Sequence
from datetime import datetime

from runtime.database.tenant_session import session_of_all_tenants, tenant_session
from sealing.value_sealer import ValueSealer
from sqlalchemy import and_, select
from sqlalchemy.ext.asyncio import AsyncEngine

from conversations.adapters.cells import address_cell, text_cell
from conversations.adapters.tables import channel_address, outbox
from conversations.application.outgoing import Addressee, Queued, Waiting
from conversations.domain.conversation import DeliveryStatus


class SqlOutbox:
    """The messages that the outbox projection keeps."""

    def __init__(self, engine: AsyncEngine, values: ValueSealer) -> None:
        self._engine = engine
        self._values = values

    async def waiting(
        self, addressee: Addressee, *, after: int, now: datetime, limit: int
    ) -> tuple[Sequence[Waiting], int]:
        """Leave out what was erased meanwhile: there is nothing to send any more."""
        its_address = and_(
            channel_address.c.tenant == outbox.c.tenant,
            channel_address.c.conversation == outbox.c.conversation,
            channel_address.c.channel == outbox.c.channel,
        )
        query = (
            select(outbox, channel_address.c.sealed_address)
            .join(channel_address, its_address)
            .where(
                outbox.c.tenant == addressee.tenant,
                outbox.c.frontend == addressee.frontend,
                outbox.c.status == DeliveryStatus.QUEUED,
                outbox.c.position > after,
                outbox.c.channel.in_(sorted(addressee.channels)),
                outbox.c.expire_time > now,
            )
            .order_by(outbox.c.position)
            .limit(limit)
        )
        async with tenant_session(self._engine, addressee.tenant) as connection:
            rows = (await connection.execute(query)).all()
        cells = [
            cell
            for row in rows
            for cell in (
                (row.sealed_address, address_cell(row.conversation, row.channel)),
                (row.sealed_text, text_cell(row.delivery)),
            )
        ]
        values = await self._values.open_many(cells, tenant=addressee.tenant)
        waiting = [
            Waiting(
                row.delivery,
                row.conversation,
                row.channel,
                row.expire_time,
                message=row.message,
                position=row.position,
                address=address.decode(),
                text=text.decode(),
            )
            for row, address, text in zip(rows, values[::2], values[1::2], strict=True)
            if isinstance(address, bytes) and isinstance(text, bytes)
        ]
        return waiting, rows[-1].position if rows else after

    async def find(self, tenant: str, frontend: str, delivery: str) -> Queued | None:
        query = select(outbox.c.tenant, outbox.c.delivery, outbox.c.conversation).where(
            outbox.c.tenant == tenant,
            outbox.c.delivery == delivery,
            outbox.c.frontend == frontend,
        )
        async with tenant_session(self._engine, tenant) as connection:
            row = (await connection.execute(query)).one_or_none()
        return None if row is None else Queued(*row)

    async def overdue(self, now: datetime, limit: int) -> Sequence[Queued]:
        query = (
            select(outbox.c.tenant, outbox.c.delivery, outbox.c.conversation)
            .where(outbox.c.status == DeliveryStatus.QUEUED, outbox.c.expire_time <= now)
            .order_by(outbox.c.expire_time)
            .limit(limit)
        )
        async with session_of_all_tenants(self._engine) as connection:
            return [Queued(*row) for row in await connection.execute(query)]
