from dataclasses import replace
from datetime import UTC, datetime

import pytest
from federation.adapters.outbox import PostgresOutbox
from federation.adapters.partner_keys import PostgresPartnerKeys
from federation.application.forwarding import Forwarded
from federation.application.partners import Partner
from federation.domain.contract import Contract
from integration.federation.federation_process import federation_engine
from integration.federation.platform_rig import PlatformRig
from runtime.database.tenant_session import tenant_session
from runtime.new_id import new_id
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncEngine

MESSAGE = Forwarded("fed.acme.demo.1.MessagePosted", {"ce-id": "1"}, b"clear")


@pytest.fixture
async def engine(rig: PlatformRig) -> AsyncEngine:
    return federation_engine(rig.stack, rig.servers)


@pytest.fixture
def somebody() -> Partner:
    return Partner("demo", f"partners/{new_id()}", Contract("acme"), datetime.now(UTC))


async def put(
    outbox: PostgresOutbox, engine: AsyncEngine, partner: Partner, *positions: int, epoch: int = 1
) -> None:
    async with tenant_session(engine, partner.tenant) as connection:
        for position in positions:
            await outbox.put(connection, partner, MESSAGE, epoch=epoch, position=position)


async def previous_positions(outbox: PostgresOutbox, partner: Partner) -> list[tuple[int, str]]:
    return [
        (one.sequence, one.message.headers["careline-previous-position"])
        for one in await outbox.waiting(partner, 100)
    ]


async def test_messages_are_numbered_without_a_hole_and_linked_by_position(
    engine: AsyncEngine, somebody: Partner
) -> None:
    outbox = PostgresOutbox(engine)
    await put(outbox, engine, somebody, 7, 12)
    await outbox.delivered(somebody, 1)
    await put(outbox, engine, somebody, 40)
    assert await previous_positions(outbox, somebody) == [(2, "7"), (3, "12")]
    assert await outbox.next_sequence(somebody) == 2


async def test_positions_of_another_epoch_are_not_linked(
    engine: AsyncEngine, somebody: Partner
) -> None:
    outbox = PostgresOutbox(engine)
    await put(outbox, engine, somebody, 7)
    await put(outbox, engine, somebody, 3, epoch=2)
    assert await previous_positions(outbox, somebody) == [(1, "0"), (2, "0")]


async def test_beyond_the_most_that_may_wait_events_are_left_out_and_it_shows(
    engine: AsyncEngine, somebody: Partner
) -> None:
    outbox = PostgresOutbox(engine, most_waiting=2)
    await put(outbox, engine, somebody, 1, 2, 3, 4)
    assert await previous_positions(outbox, somebody) == [(1, "0"), (2, "1")]
    await outbox.delivered(somebody, 2)
    await put(outbox, engine, somebody, 5)
    assert await previous_positions(outbox, somebody) == [(3, "4")]


async def test_a_transaction_that_fails_leaves_neither_message_nor_number(
    engine: AsyncEngine, somebody: Partner
) -> None:
    outbox = PostgresOutbox(engine)
    async with tenant_session(engine, "demo") as connection:
        await outbox.put(connection, somebody, MESSAGE, epoch=1, position=1)
        await connection.rollback()
    await put(outbox, engine, somebody, 2)
    assert await previous_positions(outbox, somebody) == [(1, "0")]


async def test_another_tenant_sees_and_writes_nothing(
    engine: AsyncEngine, somebody: Partner
) -> None:
    outbox = PostgresOutbox(engine)
    await put(outbox, engine, somebody, 1)
    assert await outbox.waiting(replace(somebody, tenant="other"), 10) == []
    async with tenant_session(engine, "other") as connection:
        for table in ("outgoing", "forwarding", "partner_key"):
            seen = f"select count(*) from federation.{table} where tenant = 'demo'"  # noqa: S608 - fixed names
            assert await connection.scalar(text(seen)) == 0
    with pytest.raises(DBAPIError, match="row-level security"):
        async with tenant_session(engine, "other") as connection:
            await outbox.put(connection, somebody, MESSAGE, epoch=1, position=2)


async def test_a_key_is_one_partners_for_good(engine: AsyncEngine) -> None:
    keys = PostgresPartnerKeys(engine)
    key = f"k{new_id().hex[-10:]}"
    assert await keys.claim("demo", key, "partners/1")
    assert await keys.claim("demo", key, "partners/1")
    assert not await keys.claim("demo", key, "partners/2")
    assert not await keys.claim("other", key, "partners/1")
    with pytest.raises(DBAPIError, match="permission denied"):
        async with tenant_session(engine, "demo") as connection:
            await connection.execute(text("delete from federation.partner_key"))
