"""Writes the rows of the outbox, on the connection of whoever follows the log."""

from datetime import datetime

from eventstore.stream_id import StreamId
from sqlalchemy import and_, delete, exists, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from conversations.adapters.tables import channel_address, outbox
from conversations.domain.conversation import DeliveryStatus


async def keep_address(
    connection: AsyncConnection, stream: StreamId, channel: str, sealed_address: bytes
) -> None:
    row = {
        "tenant": stream.tenant,
        "conversation": stream.name,
        "channel": channel,
        "sealed_address": sealed_address,
        "is_over": False,
    }
    await connection.execute(
        insert(channel_address)
        .values(row)
        .on_conflict_do_update(
            index_elements=["tenant", "conversation", "channel"],
            set_={"sealed_address": sealed_address},
        )
    )


async def queue(connection: AsyncConnection, row: dict[str, object]) -> None:
    await connection.execute(
        insert(outbox).values({**row, "status": DeliveryStatus.QUEUED, "report_time": None})
    )


async def report(
    connection: AsyncConnection,
    stream: StreamId,
    delivery: str,
    status: DeliveryStatus,
    time: datetime,
) -> None:
    """Take a message off; of a sent one a row without its text stays for what is told later."""
    this = and_(outbox.c.tenant == stream.tenant, outbox.c.delivery == delivery)
    if status is DeliveryStatus.SENT:
        sent = {"status": status, "sealed_text": None, "report_time": time}
        await connection.execute(update(outbox).where(this).values(sent))
    else:
        await connection.execute(delete(outbox).where(this))
    await forget_addresses(connection, stream)


async def end(connection: AsyncConnection, stream: StreamId) -> None:
    await connection.execute(
        update(channel_address)
        .where(
            channel_address.c.tenant == stream.tenant,
            channel_address.c.conversation == stream.name,
        )
        .values(is_over=True)
    )
    await forget_addresses(connection, stream)


async def forget_addresses(connection: AsyncConnection, stream: StreamId) -> None:
    """Delete where a person was reached once the conversation is over and nothing waits."""
    waits = exists().where(
        outbox.c.tenant == stream.tenant,
        outbox.c.conversation == stream.name,
        outbox.c.status == DeliveryStatus.QUEUED,
    )
    await connection.execute(
        delete(channel_address).where(
            channel_address.c.tenant == stream.tenant,
            channel_address.c.conversation == stream.name,
            channel_address.c.is_over,
            ~waits,
        )
    )


async def forget_sent(connection: AsyncConnection, before: datetime) -> None:
    """Delete what was sent before a time, of all tenants: nothing more is awaited of it."""
    await connection.execute(
        delete(outbox).where(outbox.c.status == DeliveryStatus.SENT, outbox.c.report_time < before)
    )
