import shutil
import signal
from contextlib import AsyncExitStack

import pytest
from eventstore.backoff import Backoff
from integration.messaging.consumer_rig import CONSUMPTION, Platform, consuming
from integration.messaging.log_rig import append
from integration.messaging.nats_rig import NatsRig
from integration.messaging.relay_rig import RelayRig, relaying
from messaging.connect import NatsClient, NatsUnavailable, connect
from messaging.consumer import ConsumerOptions
from messaging.names import Consumption, stream_name
from messaging.pull import PullOptions
from messaging.streams import Drift, StreamLimits, ensure_consumer, ensure_stream

STREAM = stream_name("conversations")
QUICK = ConsumerOptions(
    backoff=Backoff(first=0.01, longest=0.2), pull=PullOptions(expires=1.0, heartbeat=0.2)
)


async def test_a_consumer_survives_the_server_being_killed_and_restarted(
    nats_rig: NatsRig, relay: RelayRig, platform: Platform, audit_client: NatsClient
) -> None:
    async with consuming(platform, audit_client, options=QUICK) as rig:
        for _ in range(3):
            await append(platform.source.log, 100)
            await nats_rig.kill()
            await rig.sticks("NATS_AWAY")
            await append(platform.source.log, 100)
            await nats_rig.start()
            await relay.caught_up()
            await rig.caught_up()
            await rig.shows(lambda status: status.stuck is None)
    await platform.handled_equals_log()


@pytest.mark.usefixtures("relay")
async def test_a_server_that_falls_silent_is_noticed_and_heard_again(
    nats_rig: NatsRig, platform: Platform, audit_client: NatsClient
) -> None:
    async with consuming(platform, audit_client, options=QUICK) as rig:
        await append(platform.source.log, 10)
        await rig.caught_up()
        nats_rig.signal(signal.SIGSTOP)
        await rig.sticks("NATS_SILENT")
        nats_rig.signal(signal.SIGCONT)
        await append(platform.source.log, 10)
        await rig.caught_up()
    await platform.handled_equals_log()


@pytest.mark.usefixtures("relay")
async def test_an_idle_consumer_stays_well_over_many_requests(
    platform: Platform, audit_client: NatsClient
) -> None:
    pull = PullOptions(expires=0.1, heartbeat=0.05)
    async with consuming(platform, audit_client, options=ConsumerOptions(pull=pull)) as rig:
        await append(platform.source.log, 1)
        await rig.caught_up()
        for _ in range(5):
            stuck = [rig.consumer.status().stuck for _ in range(1000)]
            assert stuck == [None] * 1000
            await append(platform.source.log, 1)
            await rig.caught_up()


async def test_a_consumer_waits_until_it_is_provisioned(
    nats_rig: NatsRig, platform: Platform, source_client: NatsClient, audit_client: NatsClient
) -> None:
    async with (
        consuming(platform, audit_client, options=QUICK) as rig,
        relaying(platform.source, source_client),
    ):
        await append(platform.source.log, 3)
        await rig.sticks("NOT_PROVISIONED")
        await nats_rig.provision(["conversations"], [CONSUMPTION])
        await rig.caught_up()
    await platform.handled_equals_log()


async def test_a_consumer_deleted_and_made_anew_repeats_nothing(
    nats_rig: NatsRig,
    relay: RelayRig,
    platform: Platform,
    audit_client: NatsClient,
    administrator: NatsClient,
) -> None:
    async with consuming(platform, audit_client, options=QUICK) as rig:
        await append(platform.source.log, 50)
        await rig.caught_up()
        await administrator.jetstream().delete_consumer(STREAM, CONSUMPTION.durable)
        await rig.sticks("NOT_PROVISIONED")
        await nats_rig.provision([], [CONSUMPTION])
        await append(platform.source.log, 50)
        await relay.caught_up()
        await rig.caught_up()
    await platform.handled_equals_log()


@pytest.mark.usefixtures("relay")
async def test_a_service_that_may_not_consume_says_so(
    nats_rig: NatsRig, platform: Platform
) -> None:
    other = Consumption("audit", "conversations", "other")
    async with (
        await nats_rig.connect(nats_rig.service("audit", [other])) as client,
        consuming(platform, client, options=QUICK) as rig,
    ):
        await rig.sticks("PERMISSION_DENIED")
        assert "audit_history" in (rig.consumer.status().stuck or "").lower()


@pytest.mark.parametrize("relay_first", [True, False])
async def test_a_stream_that_lost_what_its_consumer_had_acknowledged_stops_nobody(
    nats_rig: NatsRig,
    platform: Platform,
    source_client: NatsClient,
    audit_client: NatsClient,
    relay_first: bool,
) -> None:
    await nats_rig.provision(["conversations"], [CONSUMPTION])
    async with consuming(platform, audit_client, options=QUICK) as rig:
        async with relaying(platform.source, source_client) as relay:
            await append(platform.source.log, 100)
            await relay.caught_up()
        await rig.caught_up()
        await nats_rig.stop()
        [stream] = nats_rig.folder.rglob(f"streams/{STREAM}")
        older = nats_rig.folder / "older"
        shutil.copytree(stream / "msgs", older)
        await nats_rig.start()
        async with relaying(platform.source, source_client):
            await append(platform.source.log, 100)
            await rig.caught_up()
    await nats_rig.stop()
    shutil.rmtree(stream / "msgs")
    shutil.copytree(older, stream / "msgs")
    await nats_rig.start()
    await append(platform.source.log, 20)
    async with AsyncExitStack() as stack:
        if relay_first:
            await stack.enter_async_context(relaying(platform.source, source_client))
        rig = await stack.enter_async_context(consuming(platform, audit_client, options=QUICK))
        if not relay_first:
            await rig.shows(lambda status: status.active and status.stuck is None)
            await stack.enter_async_context(relaying(platform.source, source_client))
        await rig.caught_up()
    await platform.handled_equals_log()


async def test_no_server_within_the_time_is_said_in_one_line(nats_rig: NatsRig) -> None:
    credentials = nats_rig.service("audit")
    await nats_rig.stop()
    with pytest.raises(NatsUnavailable, match="no NATS server answered within 1 s"):
        await connect(nats_rig.servers, user="audit", creds=credentials.text, within=1)


async def test_provisioning_again_changes_nothing_and_tells_what_drifted(
    nats_rig: NatsRig, administrator: NatsClient
) -> None:
    js = administrator.jetstream()
    assert await ensure_stream(js, "conversations", StreamLimits(max_bytes=1_000_000)) == ()
    assert await ensure_stream(js, "conversations", StreamLimits(max_bytes=1_000_000)) == ()
    assert await ensure_consumer(js, CONSUMPTION) == ()
    assert await ensure_consumer(js, CONSUMPTION) == ()
    await nats_rig.provision(["conversations"], [CONSUMPTION], StreamLimits(max_bytes=1_000_000))
    drifted = await ensure_stream(js, "conversations", StreamLimits(max_bytes=2_000_000))
    assert drifted == (Drift(STREAM, "max_bytes", "2000000", "1000000"),)
    assert (await js.stream_info(STREAM)).config.max_bytes == 1_000_000
