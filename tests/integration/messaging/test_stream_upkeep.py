import shutil

import pytest
from eventstore.backoff import Backoff
from integration.messaging.consumer_rig import CONSUMPTION, ConsumerRig, Platform, consuming
from integration.messaging.log_rig import all_events, append, event, write
from integration.messaging.nats_rig import NatsRig
from integration.messaging.relay_rig import RelayRig, relaying
from integration.messaging.stream_rig import places, stream_content
from integration.messaging.upkeep_rig import rebuilt, upkeep, verified
from messaging import stream_upkeep
from messaging.connect import NatsClient
from messaging.consumer import ConsumerOptions
from messaging.denials import PermissionDenied
from messaging.lease import open_lease
from messaging.names import stream_name
from messaging.pull import PullOptions
from messaging.stream_check import Foreign
from messaging.streams import StreamLimits, starts_after
from messaging.stuck import Stuck

STREAM = stream_name("conversations")
QUICK = ConsumerOptions(
    backoff=Backoff(first=0.01, longest=0.2), pull=PullOptions(expires=1.0, heartbeat=0.2)
)


async def allow_deletions(administrator: NatsClient) -> None:
    """Make the stream anew, as ours are but for one thing: messages may be deleted from it."""
    js = administrator.jetstream()
    config = (await js.stream_info(STREAM)).config
    await js.delete_stream(STREAM)
    await js.add_stream(config.evolve(deny_delete=False, deny_purge=False))


async def all_is_well(nats_rig: NatsRig, platform: Platform, consumer: ConsumerRig) -> None:
    await append(platform.source.log, 3)
    await consumer.caught_up()
    assert (await verified(nats_rig, platform.source)).ok
    await platform.handled_equals_log()


async def test_a_stream_that_equals_its_log_is_well_and_both_digests_say_so(
    nats_rig: NatsRig, relay: RelayRig, platform: Platform
) -> None:
    assert (await verified(nats_rig, platform.source)).ok
    await append(platform.source.log, 1500)
    await platform.source.log.append(write(event(bytes(1 << 20)), tenant="other"))
    await relay.caught_up()
    check = await verified(nats_rig, platform.source)
    log = await all_events(platform.source.log)
    assert check.ok
    assert check.log.events == check.stream.events == 1501
    assert check.stream.first_position == log[0].position
    assert check.stream.last_position == log[-1].position
    assert check.log.digest == check.stream.digest
    assert check.stretch.epoch == 1


async def test_messages_deleted_in_the_middle_are_named_and_published_again(
    nats_rig: NatsRig,
    platform: Platform,
    source_client: NatsClient,
    audit_client: NatsClient,
    administrator: NatsClient,
) -> None:
    await nats_rig.provision(["conversations"])
    await allow_deletions(administrator)
    await nats_rig.provision([], [CONSUMPTION])
    async with (
        relaying(platform.source, source_client) as relay,
        consuming(platform, audit_client, options=QUICK) as consumer,
    ):
        await append(platform.source.log, 20)
        await relay.caught_up()
        await consumer.caught_up()
        for sequence in (4, 5, 9):
            await administrator.jetstream().delete_msg(STREAM, sequence)
        at = [one.position for one in await all_events(platform.source.log)]
        check = await verified(nats_rig, platform.source)
        assert not check.ok
        assert check.missing.ranges == [(at[3], at[4]), (at[8], at[8])]
        assert check.missing.count == 3
        assert check.foreign == {}

        assert (await rebuilt(nats_rig, platform.source)).ok
        await all_is_well(nats_rig, platform, consumer)
    config = (await administrator.jetstream().stream_info(STREAM)).config
    assert config.deny_delete is not True


async def test_a_purged_stream_is_missing_whole_and_published_again(
    nats_rig: NatsRig,
    platform: Platform,
    source_client: NatsClient,
    audit_client: NatsClient,
    administrator: NatsClient,
) -> None:
    await nats_rig.provision(["conversations"])
    await allow_deletions(administrator)
    await nats_rig.provision([], [CONSUMPTION])
    async with (
        relaying(platform.source, source_client) as relay,
        consuming(platform, audit_client, options=QUICK) as consumer,
    ):
        await append(platform.source.log, 20)
        await relay.has_noted()
        await administrator.jetstream().purge_stream(STREAM)
        check = await verified(nats_rig, platform.source)
        assert check.missing.count == 20
        assert check.expired == 0

        assert (await rebuilt(nats_rig, platform.source)).ok
        await all_is_well(nats_rig, platform, consumer)


async def test_a_deleted_stream_is_made_anew_with_its_consumers_whether_services_run_or_not(
    nats_rig: NatsRig,
    platform: Platform,
    source_client: NatsClient,
    audit_client: NatsClient,
    administrator: NatsClient,
) -> None:
    await nats_rig.provision(["conversations"], [CONSUMPTION])
    async with consuming(platform, audit_client, options=QUICK) as consumer:
        async with relaying(platform.source, source_client) as relay:
            await append(platform.source.log, 20)
            await relay.has_noted()
            await consumer.caught_up()
            await administrator.jetstream().delete_stream(STREAM)
            check = await verified(nats_rig, platform.source)
            assert not check.exists
            assert check.missing.count == 20
            assert (await rebuilt(nats_rig, platform.source)).ok
        await administrator.jetstream().delete_stream(STREAM)
        await append(platform.source.log, 5)
        assert (await rebuilt(nats_rig, platform.source)).ok
        async with relaying(platform.source, source_client):
            await all_is_well(nats_rig, platform, consumer)


async def test_an_idle_relay_publishes_again_what_the_stream_had_acknowledged_and_lost(
    nats_rig: NatsRig,
    platform: Platform,
    source_client: NatsClient,
    audit_client: NatsClient,
) -> None:
    await nats_rig.provision(["conversations"], [CONSUMPTION])
    async with relaying(platform.source, source_client) as relay:
        await append(platform.source.log, 30)
        await relay.caught_up()
        await nats_rig.stop()
        [stream] = nats_rig.folder.rglob(f"streams/{STREAM}")
        older = nats_rig.folder / "older"
        shutil.copytree(stream / "msgs", older)
        await nats_rig.start()
        async with consuming(platform, audit_client, options=QUICK) as consumer:
            await append(platform.source.log, 30)
            await relay.caught_up()
            await consumer.caught_up()
            await nats_rig.kill()
            shutil.rmtree(stream / "msgs")
            shutil.copytree(older, stream / "msgs")
            await nats_rig.start()
            head = (await platform.source.log.head()).position
            await relay.shows(lambda status: status.position == head and status.stuck is None)
            await all_is_well(nats_rig, platform, consumer)


async def test_a_stream_made_anew_behind_an_idle_relays_back_is_filled_at_once(
    nats_rig: NatsRig, relay: RelayRig, platform: Platform, administrator: NatsClient
) -> None:
    await append(platform.source.log, 30)
    await relay.caught_up()
    await administrator.jetstream().delete_stream(STREAM)
    await nats_rig.provision(["conversations"])
    await relay.shows(lambda status: status.lag > 0 or status.stuck is not None)
    await relay.shows(lambda status: status.lag == 0 and status.stuck is None)
    content = await stream_content(administrator, STREAM, expected=30)
    assert places(content) == places(await all_events(platform.source.log))


async def test_what_does_not_belong_into_the_stream_is_named_and_gone_after_a_rebuild(
    nats_rig: NatsRig, relay: RelayRig, platform: Platform, administrator: NatsClient
) -> None:
    await append(platform.source.log, 3)
    await relay.caught_up()
    js = administrator.jetstream()
    last = await js.get_last_msg(STREAM, ">")
    headers = {k: v for k, v in (last.headers or {}).items() if k != "Nats-Msg-Id"}
    headers.pop("Nats-Expected-Last-Sequence", None)
    await js.publish(str(last.subject), last.data or b"", headers=headers)
    await js.publish("careline.demo.conversations.x.Forged", b"")
    await js.publish("careline.demo.conversations.x.Forged", b"")
    check = await verified(nats_rig, platform.source)
    assert not check.ok
    assert check.duplicates == 1
    assert {kind: found.ranges for kind, found in check.foreign.items()} == {
        Foreign.MALFORMED: [(5, 6)]
    }
    assert not check.log_went_back
    assert (await rebuilt(nats_rig, platform.source)).ok


async def test_a_stream_smaller_than_its_log_begins_where_the_rest_fits_and_consumers_read_on(
    nats_rig: NatsRig,
    platform: Platform,
    source_client: NatsClient,
    audit_client: NatsClient,
    administrator: NatsClient,
) -> None:
    limits = StreamLimits(max_bytes=200_000)
    await append(platform.source.log, 300)
    await nats_rig.provision(["conversations"], [CONSUMPTION], limits)
    await platform.source.execute(
        "insert into conversations.relay_checkpoint (epoch, position) values (1, 300)"
    )
    assert (await rebuilt(nats_rig, platform.source)).ok
    info = await administrator.jetstream().stream_info(STREAM)
    assert 0 < starts_after(info.config) < 300
    assert info.state.messages == 300 - starts_after(info.config)
    async with (
        relaying(platform.source, source_client),
        consuming(platform, audit_client, options=QUICK) as consumer,
    ):
        await all_is_well(nats_rig, platform, consumer)


async def test_who_verifies_may_change_nothing(
    nats_rig: NatsRig, relay: RelayRig, platform: Platform
) -> None:
    await append(platform.source.log, 1)
    await relay.caught_up()
    async with upkeep(nats_rig, platform.source, rebuilds=False) as job:
        with pytest.raises(PermissionDenied):
            await job.client.jetstream().delete_stream(STREAM)


async def test_a_rebuild_for_which_nobody_publishes_says_so(
    nats_rig: NatsRig,
    platform: Platform,
    source_client: NatsClient,
    administrator: NatsClient,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(stream_upkeep, "_STALLED_SECONDS", 0.5)
    source = platform.source
    await nats_rig.provision(["conversations"], [CONSUMPTION])
    async with relaying(source, source_client) as relay:
        await append(source.log, 3)
        await relay.has_noted()
    await administrator.jetstream().delete_stream(STREAM)
    async with open_lease(source.engine, source.schema, "relay") as lease:
        assert await lease.try_take()
        with pytest.raises(Stuck, match="RELAY_STALLED"):
            await rebuilt(nats_rig, source)
    assert (await rebuilt(nats_rig, source)).ok
