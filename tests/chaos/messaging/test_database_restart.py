"""The database crashes while events are published and handled: each is handled once."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from chaos.eventstore.restartable import Restartable, restartable
from eventstore.backoff import Backoff
from integration.messaging.consumer_rig import (
    CONSUMPTION,
    Platform,
    consuming,
    consuming_service,
    write_down,
)
from integration.messaging.log_rig import append, service_log
from integration.messaging.nats_rig import NatsRig
from integration.messaging.relay_rig import relaying
from integration.messaging.upkeep_rig import verified
from messaging.connect import NatsClient
from messaging.consumer import ConsumerOptions
from messaging.received_event import ReceivedEvent
from messaging.relay import RelayOptions
from sqlalchemy.ext.asyncio import AsyncConnection, create_async_engine

BACKOFF = Backoff(first=0.01, longest=0.2)


@pytest.fixture
async def server(tmp_path: Path) -> AsyncIterator[Restartable]:
    async with restartable(tmp_path / "postgres") as server:
        yield server


@pytest.fixture
async def fragile(server: Restartable) -> AsyncIterator[Platform]:
    """A source and its consumer on the server that crashes."""
    engine = create_async_engine(server.url, pool_pre_ping=True)
    try:
        async with service_log(engine, "conversations") as source, consuming_service(engine) as own:
            yield Platform(source, own)
    finally:
        await engine.dispose()


async def test_a_database_that_crashes_in_mid_batch_has_each_event_published_and_handled_once(
    server: Restartable,
    fragile: Platform,
    nats_rig: NatsRig,
    source_client: NatsClient,
    audit_client: NatsClient,
) -> None:
    await nats_rig.provision(["conversations"], [CONSUMPTION])
    crash_at, in_mid_batch = 0, asyncio.Event()

    async def interrupted(connection: AsyncConnection, event: ReceivedEvent) -> None:
        await write_down(connection, event)
        if event.position == crash_at:
            in_mid_batch.set()
            # Until the loss of the database ends this try.
            await asyncio.Event().wait()

    async with (
        relaying(fragile.source, source_client, RelayOptions(backoff=BACKOFF)) as relay,
        consuming(
            fragile, audit_client, handler=interrupted, options=ConsumerOptions(backoff=BACKOFF)
        ) as consumer,
    ):
        for _ in range(3):
            crash_at = (await fragile.source.log.head()).position + 30
            await append(fragile.source.log, 100)
            async with asyncio.timeout(30):
                await in_mid_batch.wait()
            crash_at = 0
            in_mid_batch.clear()
            await server.restart()
            await append(fragile.source.log, 100)
            await consumer.caught_up(within=60)
        await relay.shows(lambda status: status.stuck is None and status.lag == 0)
    assert (await verified(nats_rig, fragile.source)).ok
    await fragile.handled_equals_log()
