"""Keeps one-time codes until they are sent or have ended; sealed, and in no log."""

import hmac
from collections.abc import Collection, Sequence
from datetime import datetime

from runtime.database.tenant_session import session_of_all_tenants, tenant_session
from sealing.value_sealer import ValueSealer
from sqlalchemy import delete, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncEngine

from conversations.adapters.cells import code_address_cell, code_cell
from conversations.adapters.tables import one_time_code
from conversations.application.outgoing import Addressee, NewCode, Waiting

PAGE = 40


class SqlCodes:
    """The row of a code that was taken stays until it ends, empty, so that a repeat is known."""

    def __init__(self, engine: AsyncEngine, values: ValueSealer) -> None:
        self._engine = engine
        self._values = values

    async def put(self, tenant: str, code: NewCode) -> bool:
        row = {
            "tenant": tenant,
            "delivery": code.name,
            "conversation": code.conversation,
            "channel": code.channel,
            "frontend": code.frontend,
            "digest": code.digest,
            "sealed_address": await self._values.seal(
                code.address.encode(),
                tenant=tenant,
                subject=code.conversation,
                cell=code_address_cell(code.name),
            ),
            "sealed_code": await self._values.seal(
                code.code.encode(),
                tenant=tenant,
                subject=code.conversation,
                cell=code_cell(code.name),
            ),
            "expire_time": code.expire_time,
        }
        kept = select(one_time_code.c.digest).where(
            one_time_code.c.tenant == tenant, one_time_code.c.delivery == code.name
        )
        async with tenant_session(self._engine, tenant) as connection:
            await connection.execute(insert(one_time_code).values(row).on_conflict_do_nothing())
            digest = await connection.scalar(kept)
        return digest is None or hmac.compare_digest(digest, code.digest)

    async def waiting(
        self, addressee: Addressee, *, now: datetime, without: Collection[str]
    ) -> Sequence[Waiting]:
        query = (
            select(one_time_code)
            .where(
                one_time_code.c.tenant == addressee.tenant,
                one_time_code.c.frontend == addressee.frontend,
                one_time_code.c.channel.in_(sorted(addressee.channels)),
                one_time_code.c.expire_time > now,
                one_time_code.c.sealed_code.is_not(None),
                one_time_code.c.delivery.not_in(sorted(without)),
            )
            .order_by(one_time_code.c.expire_time, one_time_code.c.delivery)
            .limit(PAGE)
        )
        async with tenant_session(self._engine, addressee.tenant) as connection:
            rows = (await connection.execute(query)).all()
        cells = [
            cell
            for row in rows
            for cell in (
                (row.sealed_address, code_address_cell(row.delivery)),
                (row.sealed_code, code_cell(row.delivery)),
            )
        ]
        values = await self._values.open_many(cells, tenant=addressee.tenant)
        return [
            Waiting(
                row.delivery,
                row.conversation,
                row.channel,
                row.expire_time,
                address=address.decode(),
                code=code.decode(),
            )
            for row, address, code in zip(rows, values[::2], values[1::2], strict=True)
            if isinstance(address, bytes) and isinstance(code, bytes)
        ]

    async def take(self, tenant: str, frontend: str, delivery: str) -> bool:
        emptied = (
            update(one_time_code)
            .where(
                one_time_code.c.tenant == tenant,
                one_time_code.c.frontend == frontend,
                one_time_code.c.delivery == delivery,
            )
            .values(sealed_address=None, sealed_code=None)
            .returning(one_time_code.c.delivery)
        )
        async with tenant_session(self._engine, tenant) as connection:
            return await connection.scalar(emptied) is not None

    async def delete_ended(self, now: datetime) -> None:
        async with session_of_all_tenants(self._engine) as connection:
            await connection.execute(
                delete(one_time_code).where(one_time_code.c.expire_time <= now)
            )
