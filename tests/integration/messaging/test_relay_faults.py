"""Whatever fails around relay and consumers: stream and log end equal, each event handled once."""

import asyncio
from contextlib import AsyncExitStack
from typing import Any

import pytest
from conftest import superuser_url
from embedded import PostgresServer
from embedded.local_ports import HOST
from eventstore.backoff import Backoff
from eventstore.postgres import PostgresEventLog
from integration.messaging.consumer_rig import CONSUMPTION, Platform, consuming
from integration.messaging.cuttable import Cuttable, cuttable
from integration.messaging.log_rig import LogRig, append
from integration.messaging.nats_rig import NatsRig
from integration.messaging.relay_rig import relaying
from integration.messaging.upkeep_rig import verified
from messaging.connect import NatsClient, connect
from messaging.consumer import ConsumerOptions
from messaging.names import stream_name
from messaging.outgoing import RunLimits
from messaging.pull import PullOptions
from messaging.relay import RelayOptions
from messaging.streams import StreamLimits
from messaging.window import WindowLimits
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

STREAM = stream_name("conversations")
QUICK = ConsumerOptions(
    backoff=Backoff(first=0.01, longest=0.2), pull=PullOptions(expires=1.0, heartbeat=0.2)
)
IMPATIENT = RelayOptions(
    backoff=Backoff(first=0.01, longest=0.2), window=WindowLimits(answer_within=0.5)
)
CUTS = pytest.mark.parametrize("cut", [Cuttable.cut, Cuttable.fall_silent])


async def end_well(nats_rig: NatsRig, platform: Platform) -> None:
    """Hold what is true in the end, after every fault."""
    check = await verified(nats_rig, platform.source)
    assert check.ok, check
    await platform.handled_equals_log()


def through(port: int, rig: LogRig, postgres: PostgresServer, role: str) -> AsyncEngine:
    """Make an engine that reaches a rig's database through a network."""
    url = superuser_url(postgres, rig.admin.url.database or "")
    over_tcp = url.set(host=HOST, port=port, query={})
    return create_async_engine(
        over_tcp, connect_args={"server_settings": {"role": role}, "ssl": False}
    )


async def role_of(rig: LogRig) -> str:
    async with rig.engine.connect() as connection:
        return str((await connection.exec_driver_sql("select current_role")).scalar_one())


@CUTS
async def test_a_network_cut_between_store_and_relay_loses_and_repeats_nothing(
    nats_rig: NatsRig,
    platform: Platform,
    postgres: PostgresServer,
    source_client: NatsClient,
    audit_client: NatsClient,
    cut: Any,  # noqa: ANN401 - one of the network's two ways to fail
) -> None:
    await nats_rig.provision(["conversations"], [CONSUMPTION])
    socket = postgres.socket_dir / ".s.PGSQL.5432"
    role = await role_of(platform.source)
    async with AsyncExitStack() as stack:
        network, port = await stack.enter_async_context(
            cuttable(lambda: asyncio.open_unix_connection(socket))
        )
        engine = through(port, platform.source, postgres, role)
        stack.push_async_callback(engine.dispose)
        log = await stack.enter_async_context(PostgresEventLog(engine, "conversations"))
        afar = LogRig(platform.source.admin, engine, "conversations", log)
        consumer = await stack.enter_async_context(consuming(platform, audit_client, options=QUICK))
        relay = await stack.enter_async_context(relaying(afar, source_client, IMPATIENT))
        for _ in range(2):
            await append(platform.source.log, 50)
            await consumer.caught_up()
            cut(network)
            await append(platform.source.log, 50)
            await relay.sticks("DATABASE_AWAY")
            network.mend()
            await consumer.caught_up()
    await end_well(nats_rig, platform)


@CUTS
async def test_a_network_cut_between_relay_and_stream_loses_and_repeats_nothing(
    nats_rig: NatsRig,
    platform: Platform,
    audit_client: NatsClient,
    cut: Any,  # noqa: ANN401 - one of the network's two ways to fail
) -> None:
    await nats_rig.provision(["conversations"], [CONSUMPTION])
    nats_port = int(nats_rig.servers[0].rpartition(":")[2])
    credentials = nats_rig.service("conversations")
    async with AsyncExitStack() as stack:
        network, port = await stack.enter_async_context(
            cuttable(lambda: asyncio.open_connection(HOST, nats_port))
        )
        client = await stack.enter_async_context(
            await connect([f"nats://{HOST}:{port}"], user="conversations", creds=credentials.text)
        )
        consumer = await stack.enter_async_context(consuming(platform, audit_client, options=QUICK))
        relay = await stack.enter_async_context(relaying(platform.source, client, IMPATIENT))
        for _ in range(2):
            await append(platform.source.log, 50)
            await consumer.caught_up()
            cut(network)
            await append(platform.source.log, 50)
            await relay.shows(lambda status: status.stuck is not None and status.lag > 0)
            network.mend()
            await consumer.caught_up()
    await end_well(nats_rig, platform)


async def test_a_stream_whose_disk_is_full_says_so_and_loses_nothing(
    nats_rig: NatsRig,
    platform: Platform,
    audit_client: NatsClient,
    source_client: NatsClient,
    administrator: NatsClient,
) -> None:
    limits = StreamLimits(max_bytes=100_000)
    await nats_rig.provision(["conversations"], [CONSUMPTION], limits)
    options = RelayOptions(backoff=IMPATIENT.backoff, runs=RunLimits(messages=10))
    async with (
        consuming(platform, audit_client, options=QUICK) as consumer,
        relaying(platform.source, source_client, options) as relay,
    ):
        await append(platform.source.log, 300)
        await relay.sticks("STREAM_FULL")
        check = await verified(nats_rig, platform.source)
        assert check.ok
        assert 0 < check.stream.events < 300
        js = administrator.jetstream()
        config = (await js.stream_info(STREAM)).config
        await js.update_stream(config.evolve(max_bytes=10_000_000))
        await consumer.caught_up()
    await end_well(nats_rig, platform)


async def test_a_clock_that_is_set_back_changes_nothing_but_the_times_themselves(
    nats_rig: NatsRig, platform: Platform, source_client: NatsClient, audit_client: NatsClient
) -> None:
    await nats_rig.provision(["conversations"], [CONSUMPTION])
    async with (
        consuming(platform, audit_client, options=QUICK) as consumer,
        relaying(platform.source, source_client) as relay,
    ):
        for clock in ("now()", "'2001-01-01'", "now() + '1 day'", "'1999-12-31'"):
            await platform.source.execute(
                f"alter table conversations.event alter column recorded_at set default {clock}"
            )
            await append(platform.source.log, 20)
            await consumer.caught_up()
            await relay.caught_up()
            assert relay.relay.status().lag_seconds >= 0
            assert consumer.consumer.status().lag_seconds >= 0
    await end_well(nats_rig, platform)
