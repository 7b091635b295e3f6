import asyncio
import logging
from collections.abc import Awaitable, Callable
from random import Random, SystemRandom

import pytest
from chaos.messaging.child import DEADLY_CONSUMER, DEADLY_RELAY, ChildSettings
from chaos.messaging.child_process import child
from chaos.messaging.writers import writing
from integration.messaging.consumer_rig import CONSUMPTION, Platform, consuming
from integration.messaging.log_rig import LogRig, all_events, append
from integration.messaging.nats_rig import NatsRig
from integration.messaging.relay_rig import RelayRig, relaying
from integration.messaging.stream_rig import places, stream_content
from integration.messaging.upkeep_rig import rebuilt, verified
from messaging.accounts import Credentials
from messaging.connect import NatsClient
from messaging.names import stream_name

STREAM = stream_name("conversations")


@pytest.fixture
def random() -> Random:
    """Chance whose seed a failing run shows."""
    seed = SystemRandom().getrandbits(32)
    logging.getLogger(__name__).warning("seed %d", seed)
    return Random(seed)  # noqa: S311 - chance, no secret


def settings(
    part: str, platform: Platform, nats_rig: NatsRig, credentials: Credentials
) -> ChildSettings:
    database = platform.source.admin.url.render_as_string(hide_password=False)
    return ChildSettings(part, database, nats_rig.servers, credentials.user, credentials.text)


async def stream_equals_log(administrator: NatsClient, log_rig: LogRig) -> None:
    log = await all_events(log_rig.log)
    stream = await stream_content(administrator, STREAM, expected=len(log))
    assert places(stream) == places(log)


async def test_a_relay_killed_again_and_again_while_six_writers_append_publishes_the_log_as_it_is(
    nats_rig: NatsRig,
    platform: Platform,
    source_client: NatsClient,
    administrator: NatsClient,
    random: Random,
) -> None:
    await nats_rig.provision(["conversations"])
    relay = settings("relay", platform, nats_rig, nats_rig.service("conversations"))
    async with writing(platform.source.log, random):
        for _ in range(10):
            published = await number_published(administrator)
            async with child(relay) as process:
                await more_than(published, lambda: number_published(administrator))
                await asyncio.sleep(random.random() * 0.4)
                process.kill()
    async with relaying(platform.source, source_client) as rig:
        await rig.caught_up(within=60)
    await stream_equals_log(administrator, platform.source)


async def test_a_relay_killed_between_publication_and_checkpoint_publishes_nothing_twice(
    nats_rig: NatsRig, platform: Platform, source_client: NatsClient, audit_client: NatsClient
) -> None:
    await nats_rig.provision(["conversations"], [CONSUMPTION])
    deadly = settings(DEADLY_RELAY, platform, nats_rig, nats_rig.service("conversations"))
    async with consuming(platform, audit_client) as consumer:
        for _ in range(3):
            await append(platform.source.log, 20)
            async with child(deadly) as process, asyncio.timeout(30):
                await process.wait()
        async with relaying(platform.source, source_client):
            await append(platform.source.log, 20)
            await consumer.caught_up()
    assert (await verified(nats_rig, platform.source)).ok
    await platform.handled_equals_log()


async def test_a_stream_lost_and_rebuilt_while_six_writers_append_ends_as_the_log_is(
    nats_rig: NatsRig,
    platform: Platform,
    source_client: NatsClient,
    audit_client: NatsClient,
    administrator: NatsClient,
    random: Random,
) -> None:
    await nats_rig.provision(["conversations"], [CONSUMPTION])
    async with (
        relaying(platform.source, source_client) as relay,
        consuming(platform, audit_client) as consumer,
    ):
        async with writing(platform.source.log, random):
            for _ in range(3):
                handled = await platform.number_handled()
                await more_than(handled, platform.number_handled)
                await administrator.jetstream().delete_stream(STREAM)
                assert (await rebuilt(nats_rig, platform.source)).ok
        await relay.caught_up(within=60)
        await consumer.caught_up(within=60)
    assert (await verified(nats_rig, platform.source)).ok
    await platform.handled_equals_log()


async def number_published(administrator: NatsClient) -> int:
    return (await administrator.jetstream().stream_info(STREAM)).state.messages


async def more_than(number: int, count: Callable[[], Awaitable[int]]) -> None:
    """Return when a count that nothing announces has passed a number."""
    async with asyncio.timeout(60):
        while await count() <= number:  # noqa: ASYNC110 - what another process does is polled
            await asyncio.sleep(0.02)


async def test_a_server_killed_again_and_again_under_load_loses_and_repeats_nothing(
    nats_rig: NatsRig,
    relay: RelayRig,
    platform: Platform,
    audit_client: NatsClient,
    administrator: NatsClient,
    random: Random,
) -> None:
    async with consuming(platform, audit_client) as rig:
        async with writing(platform.source.log, random):
            for _ in range(5):
                await asyncio.sleep(random.random())
                await nats_rig.kill()
                await asyncio.sleep(random.random() * 0.3)
                await nats_rig.start()
        await relay.caught_up(within=60)
        await rig.caught_up(within=60)
    await administrator.wait_connected()
    await stream_equals_log(administrator, platform.source)
    await platform.handled_equals_log()


@pytest.mark.usefixtures("relay")
async def test_a_consumer_killed_between_commit_and_acknowledgement_does_nothing_twice(
    nats_rig: NatsRig, platform: Platform, audit_client: NatsClient
) -> None:
    deadly = settings(DEADLY_CONSUMER, platform, nats_rig, nats_rig.service("audit", [CONSUMPTION]))
    for _ in range(3):
        await append(platform.source.log, 20)
        async with child(deadly) as process, asyncio.timeout(30):
            await process.wait()
        assert await platform.handled()
    async with consuming(platform, audit_client) as rig:
        await rig.caught_up()
        assert rig.reader.asked == []
    await platform.handled_equals_log()


@pytest.mark.usefixtures("relay")
async def test_a_consumer_killed_at_any_moment_handles_every_event_once(
    nats_rig: NatsRig, platform: Platform, audit_client: NatsClient, random: Random
) -> None:
    consumer = settings("consumer", platform, nats_rig, nats_rig.service("audit", [CONSUMPTION]))
    async with writing(platform.source.log, random):
        for _ in range(4):
            handled = await platform.number_handled()
            async with child(consumer) as process:
                await more_than(handled, platform.number_handled)
                await asyncio.sleep(random.random() * 0.2)
                process.kill()
    async with consuming(platform, audit_client) as rig:
        await rig.caught_up()
    await platform.handled_equals_log()
