"""Read models come out the same however the log is cut into pages, and whenever it is replayed."""

import random
from collections.abc import Sequence
from datetime import timedelta
from typing import Any

import pytest
from conversations.adapters.listing_projection import ListingProjection
from conversations.adapters.outbox_projection import OutboxProjection
from conversations.adapters.tables import metadata
from eventstore.event import RecordedEvent
from eventstore.projection import Projection
from integration.conversations.linking import ConversationLinks
from integration.conversations.rig import Client, Process
from integration.conversations.steps import (
    CHAT,
    DELIVERED,
    agent_says,
    bot_says,
    close,
    delivering,
    hand_to,
    join,
    patient_says,
    report,
    start,
    wrap_up,
)
from runtime.new_id import new_id
from sealing.keyring import Keyring
from sealing.value_sealer import ValueSealer
from sqlalchemy import delete, select, text

LISTING = ("conversation", "conversation_party")
OUTBOX = ("channel_address", "outbox")
SEALED = ("sealed_address", "sealed_text")


@pytest.fixture
async def log(process: Process) -> list[RecordedEvent]:
    """A log of three conversations in different states, one of them erased."""
    frontend, agent = await process.frontend(), await process.agent()
    over, waiting, erased = [await start(frontend) for _ in range(3)]
    await patient_says(frontend, over, "Hi")
    await bot_says(frontend, over, "Hello")
    await hand_to(process, frontend, agent, over)
    await join(frontend, over, CHAT)
    await agent_says(agent, over, "Good morning")
    await wrap_up(agent, over)
    await close(agent, over)
    await acknowledge_all(frontend, over)
    await bot_says(frontend, waiting, "One")
    await bot_says(frontend, waiting, "Two")
    patient = f"patients/{new_id()}"
    await ConversationLinks(process, frontend).link(erased, patient)
    await bot_says(frontend, erased, "Your test was positive")
    await process.ground.erase(patient)
    streams = {over, waiting, erased}
    whole = process.serving.runtime.log.read_log()
    return [event async for event in whole if event.stream.name in streams]


async def acknowledge_all(frontend: Client, name: str) -> None:
    async with delivering(frontend) as deliveries:
        for delivery in await deliveries.next(2):
            assert delivery.conversation == name
            await frontend.deliveries.AcknowledgeDelivery(report(delivery.name, DELIVERED))


def outbox_projection(process: Process, keyring: Keyring | None = None) -> OutboxProjection:
    runtime = process.serving.runtime
    keys = keyring or process.ground.keyring
    return OutboxProjection(
        runtime.log, runtime.codec, ValueSealer(keys), keys, lifetime=timedelta(days=1)
    )


async def replayed(
    process: Process,
    projection: Projection,
    tables: Sequence[str],
    pages: Sequence[Sequence[RecordedEvent]],
) -> list[Any]:
    """Give the rows that a replay makes, in a transaction that leaves no trace."""
    async with process.ground.queries.connect() as connection:
        places = {"conversations": f"conversations_{projection.name}_b1"}
        await connection.execution_options(schema_translate_map=places)
        await connection.execute(text("select set_config('careline.tenant', '*', true)"))
        for table in tables:
            await connection.execute(text("set local role conversations_owner"))
            await connection.execute(delete(metadata.tables[f"conversations.{table}"]))
            await connection.execute(text("set local role conversations_runtime"))
        for page in pages:
            wanted = [
                one for one in page if projection.types is None or one.type in projection.types
            ]
            if wanted:
                await projection.apply(connection, wanted)
        rows = []
        for table in tables:
            columns = metadata.tables[f"conversations.{table}"].c
            shown = [column for column in columns if column.name not in SEALED]
            found = await connection.execute(select(*shown).order_by(*columns[:4]))
            rows += [(table, *row) for row in found]
        await connection.rollback()
    return rows


def cut(log: Sequence[RecordedEvent], seed: int) -> list[Sequence[RecordedEvent]]:
    """Cut the log into pages of one to five events."""
    sizes, pages, at = random.Random(seed), [], 0  # noqa: S311  no secret
    while at < len(log):
        size = sizes.randint(1, 5)
        pages.append(log[at : at + size])
        at += size
    return pages


async def test_any_cut_of_the_log_makes_the_same_list(
    process: Process, log: list[RecordedEvent]
) -> None:
    whole = await replayed(process, ListingProjection(), LISTING, [log])
    single = await replayed(process, ListingProjection(), LISTING, [[event] for event in log])

    assert len([row for row in whole if row[0] == "conversation"]) == 3
    assert single == whole
    for seed in range(10):
        assert await replayed(process, ListingProjection(), LISTING, cut(log, seed)) == whole


async def test_any_cut_of_the_log_makes_the_same_outbox(
    process: Process, log: list[RecordedEvent]
) -> None:
    projection = outbox_projection(process)
    whole = await replayed(process, projection, OUTBOX, [log])
    single = await replayed(process, projection, OUTBOX, [[event] for event in log])

    waiting = [row for row in whole if row[0] == "outbox"]
    assert len(waiting) == 2
    assert len([row for row in whole if row[0] == "channel_address"]) == 1
    assert single == whole
    for seed in range(10):
        assert await replayed(process, projection, OUTBOX, cut(log, seed)) == whole


async def test_a_process_that_missed_an_erasure_keeps_nothing_of_it(process: Process) -> None:
    frontend = await process.frontend()
    name, patient = await start(frontend), f"patients/{new_id()}"
    await ConversationLinks(process, frontend).link(name, patient)
    await bot_says(frontend, name, "Your test was positive")
    log = await process.events(name)
    ground = process.ground
    async with (
        Keyring(ground.database.engine, ground.transit) as eraser,
        Keyring(ground.database.engine, ground.transit) as told,
    ):
        await eraser.erase("demo", patient, f"test:{new_id()}")
        # The codec's keyring still holds the key, the one that seals does not.
        opened = await process.messages(name)
        rows = await replayed(process, outbox_projection(process, told), OUTBOX, [log])

    assert "positive" in str(opened)
    assert [row for row in rows if name in row] == []
