import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import pytest
from integration.messaging.consumer_rig import (
    CONSUMPTION,
    SCHEMA,
    Platform,
    consuming,
    write_down,
)
from integration.messaging.log_rig import TRACEPARENT, all_events, append, event, write
from integration.messaging.relay_rig import RelayRig, background, eventually
from messaging.connect import ConnectionClosed, NatsClient
from messaging.consumer import Consumer
from messaging.handling import Handling
from messaging.log_reader import OwnLogReader
from messaging.names import stream_name
from messaging.received_event import ReceivedEvent
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

STREAM = stream_name("conversations")


@pytest.mark.usefixtures("relay")
async def test_every_event_is_handled_once_and_in_order(
    platform: Platform, audit_client: NatsClient
) -> None:
    await append(platform.source.log, 700)
    async with consuming(platform, audit_client) as rig:
        await append(platform.source.log, 700)
        await rig.caught_up()
        status = rig.consumer.status()
        assert (status.lag, status.lag_seconds, status.stuck) == (0, 0.0, None)
        assert rig.reader.asked == []
    await platform.handled_equals_log()


@pytest.mark.usefixtures("relay")
async def test_a_handler_gets_the_event_as_it_was_appended(
    platform: Platform, audit_client: NatsClient
) -> None:
    got: list[ReceivedEvent] = []

    async def keep(_connection: AsyncConnection, received: ReceivedEvent) -> None:
        got.append(received)

    await platform.source.log.append(write(event(b"\x00sealed")))
    async with consuming(platform, audit_client, handler=keep) as rig:
        await rig.caught_up()
    [recorded] = await all_events(platform.source.log)
    assert got == [
        ReceivedEvent(
            source="conversations",
            epoch=1,
            position=recorded.position,
            previous_position=0,
            stream=recorded.stream,
            revision=0,
            id=recorded.id,
            type=recorded.type,
            data=b"\x00sealed",
            metadata=recorded.metadata,
            recorded_at=recorded.recorded_at,
            traceparent=TRACEPARENT,
            tracestate="a=b",
        )
    ]


@pytest.mark.usefixtures("relay")
async def test_each_event_is_handled_under_its_tenant_and_sees_no_other(
    platform: Platform, audit_client: NatsClient
) -> None:
    seen: list[tuple[str, str]] = []

    async def look(connection: AsyncConnection, received: ReceivedEvent) -> None:
        tenant = await connection.scalar(text("select current_setting('careline.tenant')"))
        seen.append((received.stream.tenant, tenant))

    tenants = ["demo", "demo", "other", "demo"]
    for tenant in tenants:
        await platform.source.log.append(write(tenant=tenant))
    async with consuming(platform, audit_client, handler=look) as rig:
        await rig.caught_up()
    assert seen == [(tenant, tenant) for tenant in tenants]


@pytest.mark.usefixtures("relay")
async def test_a_consumer_goes_on_where_it_stopped_without_doing_anything_twice(
    platform: Platform, audit_client: NatsClient
) -> None:
    for _ in range(3):
        await append(platform.source.log, 50)
        async with consuming(platform, audit_client) as rig:
            await rig.caught_up()
    await platform.handled_equals_log()


@pytest.mark.usefixtures("relay")
async def test_what_was_committed_but_not_acknowledged_is_not_done_again(
    platform: Platform, audit_client: NatsClient, administrator: NatsClient
) -> None:
    await append(platform.source.log, 50)
    async with consuming(platform, audit_client) as rig:
        await rig.caught_up()
    await administrator.jetstream().reset_consumer(STREAM, CONSUMPTION.durable, seq=1)
    await append(platform.source.log, 1)
    async with consuming(platform, audit_client) as rig:
        await rig.caught_up()
        assert rig.reader.asked == []
    await platform.handled_equals_log()


async def test_everything_handled_is_acknowledged(
    relay: RelayRig, platform: Platform, audit_client: NatsClient, administrator: NatsClient
) -> None:
    await append(platform.source.log, 300)
    await relay.caught_up()
    async with consuming(platform, audit_client) as rig:
        await rig.caught_up()
    info = await administrator.jetstream().consumer_info(STREAM, CONSUMPTION.durable)
    assert info.ack_floor is not None
    assert (info.ack_floor.stream_seq, info.num_ack_pending, info.num_pending) == (300, 0, 0)


@pytest.mark.usefixtures("relay")
async def test_of_two_processes_one_consumes_and_the_other_takes_over(
    platform: Platform, audit_client: NatsClient
) -> None:
    async with consuming(platform, audit_client) as first:
        await first.shows(lambda status: status.active)
        async with consuming(platform, audit_client) as other:
            await append(platform.source.log, 300)
            await first.caught_up()
            assert not other.consumer.status().active
            first.task.cancel()
            await append(platform.source.log, 300)
            await other.caught_up()
    await platform.handled_equals_log()


@pytest.mark.usefixtures("relay")
async def test_two_consumers_without_a_lock_between_them_handle_each_event_once(
    platform: Platform, audit_client: NatsClient
) -> None:
    async with consuming(platform, audit_client) as first:
        await first.shows(lambda status: status.active)
        async with (
            consuming(platform, audit_client) as second,
            background(second.consumer._lead()),
        ):
            await append(platform.source.log, 1000)
            await eventually(
                lambda: first.consumer.status().position + second.consumer.status().position >= 1000
            )
        # What the second had in hand when it left comes again after half a minute (ack_wait).
        await first.caught_up(within=60)
    await platform.handled_equals_log()


@pytest.mark.usefixtures("relay")
async def test_what_is_wrapped_around_a_consumer_sees_every_event_it_handles(
    platform: Platform, audit_client: NatsClient
) -> None:
    inside: list[int] = []

    @asynccontextmanager
    async def around(received: ReceivedEvent) -> AsyncIterator[None]:
        inside.append(received.position)
        yield

    handling = Handling(SCHEMA, write_down, around)
    reader = OwnLogReader(platform.source.log, "conversations")
    consumer = Consumer(
        platform.service.engine, SCHEMA, audit_client, CONSUMPTION, handling, reader
    )
    await append(platform.source.log, 10)
    async with background(consumer.run()):
        await eventually(lambda: consumer.status().position >= 10)
    assert inside == list(range(1, 11))


@pytest.mark.usefixtures("relay")
async def test_somebody_elses_messages_in_the_stream_are_passed_over(
    platform: Platform, audit_client: NatsClient, administrator: NatsClient
) -> None:
    forged: list[Callable[[dict[str, str]], dict[str, str]]] = [
        lambda _headers: {},
        lambda headers: {**headers, "careline-tenant": "other"},
        lambda headers: {**headers, "careline-position": "-5"},
        lambda headers: {**headers, "ce-source": "careline/identity"},
        lambda headers: {**headers, "ce-time": "2026-01-01"},
    ]
    async with consuming(platform, audit_client) as rig:
        await append(platform.source.log, 3)
        await rig.caught_up()
        last = await administrator.jetstream().get_last_msg(STREAM, ">")
        genuine = {
            name: value
            for name, value in (last.headers or {}).items()
            if not name.startswith("Nats-")
        }
        for forge in forged:
            headers = forge(genuine)
            await administrator.jetstream().publish(last.subject or "", b"evil", headers=headers)
        await eventually(lambda: rig.consumer.status().lag == 0)
        assert rig.consumer.status().stuck is None
    await platform.handled_equals_log()


@pytest.mark.usefixtures("relay")
async def test_run_ends_when_the_server_has_ended_the_connection_for_good(
    platform: Platform, audit_client: NatsClient
) -> None:
    async with consuming(platform, audit_client) as rig:
        await rig.shows(lambda status: status.active)
        await audit_client.close()
        with pytest.raises(ConnectionClosed):
            async with asyncio.timeout(10):
                await rig.task
