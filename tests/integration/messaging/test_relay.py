import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import timedelta

import pytest
from eventstore.durability import Durability
from eventstore.errors import NotYetReplicated
from eventstore.event import RecordedEvent
from eventstore.postgres import PostgresEventLog
from integration.messaging.log_rig import (
    POSTED,
    TRACEPARENT,
    LogRig,
    all_events,
    append,
    event,
    write,
)
from integration.messaging.nats_rig import NatsRig
from integration.messaging.relay_rig import background, relaying
from integration.messaging.stream_rig import places, stream_content
from integration.messaging.upkeep_rig import verified
from messaging.connect import ConnectionClosed, NatsClient
from messaging.names import stream_name
from messaging.outgoing import RunLimits
from messaging.relay import Relay, RelayOptions
from messaging.replication import StreamReplication
from messaging.streams import StreamLimits
from messaging.window import WindowLimits
from sqlalchemy import text

STREAM = stream_name("conversations")


@pytest.fixture
async def client(nats_rig: NatsRig, source_client: NatsClient) -> NatsClient:
    await nats_rig.provision(["conversations"])
    return source_client


async def stream_equals_log(administrator: NatsClient, log_rig: LogRig) -> None:
    log = await all_events(log_rig.log)
    stream = await stream_content(administrator, STREAM, expected=len(log))
    assert places(stream) == places(log)


async def test_the_stream_holds_the_log_in_order_and_byte_for_byte(
    client: NatsClient, administrator: NatsClient, log_rig: LogRig
) -> None:
    async with relaying(log_rig, client) as rig:
        await append(log_rig.log, 1200)
        await log_rig.log.append(write(tenant="other"))
        await rig.caught_up()
    await stream_equals_log(administrator, log_rig)


async def test_a_message_says_what_it_is_where_it_stands_and_what_caused_it(
    client: NatsClient, administrator: NatsClient, log_rig: LogRig
) -> None:
    async with relaying(log_rig, client) as rig:
        written = write(event(b"one"), event(b"two"))
        await log_rig.log.append(written)
        await rig.caught_up()
    first, second = await all_events(log_rig.log)
    message = await administrator.jetstream().get_last_msg(STREAM, ">")
    assert message.subject == f"careline.demo.conversations.{second.stream.id}.MessagePosted"
    assert message.data == b"two"
    headers = message.headers or {}
    assert headers["Nats-Msg-Id"] == headers["ce-id"] == str(written.events[1].id)
    assert headers["ce-specversion"] == "1.0"
    assert headers["ce-type"] == POSTED
    assert headers["ce-source"] == "careline/conversations"
    assert headers["ce-subject"] == second.stream.name
    assert headers["ce-time"] == second.recorded_at.isoformat()
    assert headers["careline-tenant"] == "demo"
    assert headers["careline-epoch"] == "1"
    assert headers["careline-position"] == str(second.position)
    assert headers["careline-previous-position"] == str(first.position)
    assert headers["careline-revision"] == "1"
    assert headers["traceparent"] == TRACEPARENT
    assert headers["tracestate"] == "a=b"


async def test_of_two_relays_one_leads_and_the_other_takes_over_at_once_when_its_lock_is_gone(
    client: NatsClient, administrator: NatsClient, log_rig: LogRig
) -> None:
    async with relaying(log_rig, client) as first:
        await first.shows(lambda status: status.leading)
        async with relaying(log_rig, client) as second:
            await append(log_rig.log, 300)
            await first.caught_up()
            assert not second.relay.status().leading
            await log_rig.execute(
                "select pg_terminate_backend(pid) from pg_locks "
                "where locktype = 'advisory' and objsubid = 2 and granted"
            )
            await append(log_rig.log, 300)
            await second.caught_up()
            leading = [first.relay.status().leading, second.relay.status().leading]
            assert sorted(leading) == [False, True]
    await stream_equals_log(administrator, log_rig)


@pytest.mark.parametrize("together", [1, 20])
async def test_two_relays_without_a_lock_between_them_publish_each_event_once(
    nats_rig: NatsRig,
    client: NatsClient,
    administrator: NatsClient,
    log_rig: LogRig,
    together: int,
) -> None:
    limits = WindowLimits(messages=100)
    options = RelayOptions(runs=RunLimits(messages=together), window=limits)
    await append(log_rig.log, 500)
    async with relaying(log_rig, client, options) as first:
        second = Relay(
            log_rig.log, log_rig.engine, log_rig.schema, "conversations", client, options=options
        )
        lockless = Lockless()
        async with background(second._lead(lockless)):  # type: ignore[arg-type]  # a lease without a lock is the fault that is injected
            await append(log_rig.log, 1500)
            await first.caught_up(within=60)
    assert (await verified(nats_rig, log_rig)).ok
    await stream_equals_log(administrator, log_rig)


class Lockless:
    """What a relay has in hand that does not know yet that its lock is gone."""

    async def fetch(self, _statement: str, *_arguments: object) -> list[dict[str, int]]:
        return []


async def test_a_lost_checkpoint_beyond_the_duplicate_window_repeats_nothing(
    nats_rig: NatsRig, administrator: NatsClient, log_rig: LogRig
) -> None:
    window = timedelta(milliseconds=100)
    await nats_rig.provision(["conversations"], limits=StreamLimits(duplicate_window=window))
    async with await nats_rig.connect(nats_rig.service("conversations")) as client:
        async with relaying(log_rig, client) as rig:
            await append(log_rig.log, 100)
            await rig.caught_up()
        await log_rig.execute("delete from conversations.relay_checkpoint")
        await asyncio.sleep(3 * window.total_seconds())
        async with relaying(log_rig, client) as rig:
            await append(log_rig.log, 100)
            await rig.caught_up()
    await stream_equals_log(administrator, log_rig)


async def test_a_checkpoint_ahead_of_the_stream_makes_no_hole(
    client: NatsClient, administrator: NatsClient, log_rig: LogRig
) -> None:
    await append(log_rig.log, 100)
    await log_rig.execute(
        "insert into conversations.relay_checkpoint (epoch, position) values (1, 60)"
    )
    async with relaying(log_rig, client) as rig:
        await rig.shows(lambda status: status.position == status.head > 0)
    await stream_equals_log(administrator, log_rig)


async def test_a_stream_made_anew_receives_the_whole_log_again(
    nats_rig: NatsRig, client: NatsClient, administrator: NatsClient, log_rig: LogRig
) -> None:
    async with relaying(log_rig, client) as rig:
        await append(log_rig.log, 100)
        await rig.caught_up()
        await administrator.jetstream().delete_stream(STREAM)
        await append(log_rig.log, 10)
        await rig.sticks("NOT_PROVISIONED")
        await nats_rig.provision(["conversations"])
        await rig.shows(lambda status: status.stuck is None and status.lag == 0)
    await stream_equals_log(administrator, log_rig)


async def test_a_full_stream_holds_the_relay_and_has_no_hole_when_it_takes_more(
    nats_rig: NatsRig, administrator: NatsClient, log_rig: LogRig
) -> None:
    await nats_rig.provision(["conversations"], limits=StreamLimits(max_bytes=100_000))
    async with (
        await nats_rig.connect(nats_rig.service("conversations")) as client,
        relaying(log_rig, client, RelayOptions(runs=RunLimits(messages=10))) as rig,
    ):
        await append(log_rig.log, 500)
        await rig.sticks("STREAM_FULL")
        status = rig.relay.status()
        assert status.lag > 0
        assert status.lag_seconds > 0
        js = administrator.jetstream()
        config = (await js.stream_info(STREAM)).config
        await js.update_stream(config.evolve(max_bytes=10_000_000))
        await rig.caught_up()
        assert rig.relay.status().stuck is None
    await stream_equals_log(administrator, log_rig)


async def test_the_window_bounds_what_is_in_flight(
    client: NatsClient, administrator: NatsClient, log_rig: LogRig
) -> None:
    options = RelayOptions(runs=RunLimits(messages=5), window=WindowLimits(messages=5))
    await append(log_rig.log, 200)
    async with relaying(log_rig, client, options) as rig:
        await rig.caught_up()
    await stream_equals_log(administrator, log_rig)


async def test_an_event_too_large_for_a_message_goes_without_its_data_and_says_so(
    client: NatsClient, administrator: NatsClient, log_rig: LogRig
) -> None:
    async with relaying(log_rig, client) as rig:
        await log_rig.log.append(write(event(bytes(client.max_payload))))
        await log_rig.log.append(write(event(b"small")))
        await rig.caught_up()
    content = await stream_content(administrator, STREAM, expected=2)
    assert [len(received.data) for received in content] == [0, 5]
    message = await administrator.jetstream().get_msg(STREAM, seq=1)
    assert (message.headers or {})["careline-omitted"] == str(client.max_payload)


async def test_somebody_elses_message_at_the_end_of_the_stream_holds_the_relay(
    client: NatsClient, administrator: NatsClient, log_rig: LogRig
) -> None:
    await administrator.jetstream().publish("careline.demo.conversations.x.Forged", b"")
    async with relaying(log_rig, client) as rig:
        await append(log_rig.log, 1)
        await rig.sticks("STREAM_FOREIGN")


async def test_a_log_of_another_epoch_is_not_mixed_into_the_stream(
    client: NatsClient, log_rig: LogRig
) -> None:
    async with relaying(log_rig, client) as rig:
        await append(log_rig.log, 1)
        await rig.caught_up()
    await log_rig.execute("update conversations.log_state set epoch = 2")
    async with relaying(log_rig, client) as rig:
        await append(log_rig.log, 1)
        await rig.sticks("OTHER_EPOCH")


async def test_a_stream_ahead_of_its_log_holds_the_relay(
    client: NatsClient, log_rig: LogRig
) -> None:
    async with relaying(log_rig, client) as rig:
        await append(log_rig.log, 5)
        await rig.caught_up()
    async with log_rig.admin.begin() as connection:
        await connection.execute(text("set local session_replication_role = replica"))
        await connection.execute(text("delete from conversations.event where position = 5"))
    async with relaying(log_rig, client) as rig:
        await rig.sticks("STREAM_AHEAD")


async def test_a_relay_that_may_not_publish_says_so(nats_rig: NatsRig, log_rig: LogRig) -> None:
    await nats_rig.provision(["conversations"])
    async with (
        await nats_rig.connect(nats_rig.service("routing")) as client,
        relaying(log_rig, client) as rig,
    ):
        await append(log_rig.log, 1)
        await rig.sticks("PERMISSION_DENIED")


async def test_a_relay_says_that_nats_is_away_and_how_far_it_falls_behind(
    nats_rig: NatsRig, client: NatsClient, administrator: NatsClient, log_rig: LogRig
) -> None:
    async with relaying(log_rig, client) as rig:
        await append(log_rig.log, 1)
        await rig.caught_up()
        await nats_rig.kill()
        await append(log_rig.log, 3)
        await rig.sticks("NATS_AWAY")
        await rig.shows(lambda status: status.lag == 3)
        await nats_rig.start()
        await rig.caught_up()
        await rig.shows(lambda status: status.stuck is None and status.lag == 0)
    await administrator.wait_connected()
    await stream_equals_log(administrator, log_rig)


async def test_run_ends_when_the_server_has_ended_the_connection_for_good(
    client: NatsClient, log_rig: LogRig
) -> None:
    async with relaying(log_rig, client) as rig:
        await append(log_rig.log, 1)
        await rig.caught_up()
        await client.close()
        await append(log_rig.log, 1)
        with pytest.raises(ConnectionClosed):
            await rig.task


async def test_a_replicated_append_waits_for_the_streams_acknowledgement(
    nats_rig: NatsRig, client: NatsClient, administrator: NatsClient, log_rig: LogRig
) -> None:
    replication = StreamReplication(log_rig.engine, log_rig.schema)
    async with PostgresEventLog(
        log_rig.engine, log_rig.schema, replication=replication, replication_timeout=1
    ) as log:
        relay = Relay(
            log,
            log_rig.engine,
            log_rig.schema,
            "conversations",
            client,
            replication=replication,
        )
        async with background(relay.run()):
            await log.append(write(), durability=Durability.REPLICATED)
            assert (await administrator.jetstream().stream_info(STREAM)).state.messages == 1
            await nats_rig.kill()
            with pytest.raises(NotYetReplicated):
                await log.append(write(), durability=Durability.REPLICATED)


async def test_a_process_without_the_relay_learns_of_replication_by_the_checkpoint(
    client: NatsClient, log_rig: LogRig
) -> None:
    elsewhere = StreamReplication(log_rig.engine, log_rig.schema)
    async with relaying(log_rig, client):
        await append(log_rig.log, 10)
        head = await log_rig.log.head()
        async with asyncio.timeout(10):
            await elsewhere.replicated(head.position)


async def test_what_is_wrapped_around_the_relay_sees_every_event_sent(
    client: NatsClient, log_rig: LogRig
) -> None:
    seen: list[int] = []

    @asynccontextmanager
    async def around(events: Sequence[RecordedEvent]) -> AsyncIterator[None]:
        seen.extend(sent.position for sent in events)
        yield

    replication = StreamReplication(log_rig.engine, log_rig.schema)
    relay = Relay(
        log_rig.log,
        log_rig.engine,
        log_rig.schema,
        "conversations",
        client,
        replication=replication,
        around=around,
    )
    await append(log_rig.log, 20)
    async with background(relay.run()):
        await replication.replicated((await log_rig.log.head()).position)
    assert seen == [recorded.position for recorded in await all_events(log_rig.log)]
