from collections.abc import AsyncIterator

import pytest
from eventstore.backoff import Backoff
from eventstore.event_log import Head
from integration.messaging.consumer_rig import CONSUMPTION, Platform, consuming
from integration.messaging.log_rig import all_events, append, event, write
from integration.messaging.nats_rig import NatsRig
from integration.messaging.relay_rig import RelayRig, eventually, relaying
from messaging.connect import NatsClient
from messaging.consumer import ConsumerOptions
from messaging.log_reader import LogReader, OwnLogReader
from messaging.names import stream_name, stream_subjects
from messaging.received_event import ReceivedEvent
from nats.js.api import StreamConfig

STREAM = stream_name("conversations")
QUICK = ConsumerOptions(backoff=Backoff(first=0.01, longest=0.1))


@pytest.fixture
async def lossy_relay(
    nats_rig: NatsRig, platform: Platform, source_client: NatsClient, administrator: NatsClient
) -> AsyncIterator[RelayRig]:
    """The source's relay on a stream from which messages may be deleted, as ours do not let."""
    subjects = [stream_subjects("conversations")]
    await administrator.jetstream().add_stream(StreamConfig(name=STREAM, subjects=subjects))
    await nats_rig.provision([], [CONSUMPTION])
    async with relaying(platform.source, source_client) as rig:
        yield rig


class Unasked:
    """A log reader whose head nobody is to ask for."""

    async def head(self) -> Head:
        raise AssertionError("the head was asked for")


class Detour(Unasked):
    """A log reader whose way to the log is another at every try, the last one for good."""

    def __init__(self, *ways: LogReader | Exception) -> None:
        self._ways = list(ways)

    async def read(self, after: int, until: int) -> AsyncIterator[ReceivedEvent]:
        way = self._ways.pop(0) if len(self._ways) > 1 else self._ways[0]
        if isinstance(way, Exception):
            raise way
        async for received in way.read(after, until):
            yield received


async def test_messages_missing_in_the_stream_are_read_from_the_log(
    lossy_relay: RelayRig,
    platform: Platform,
    audit_client: NatsClient,
    administrator: NatsClient,
) -> None:
    await append(platform.source.log, 20)
    await lossy_relay.caught_up()
    for sequence in (1, 2, 7, 13, 14):
        await administrator.jetstream().delete_msg(STREAM, sequence)
    async with consuming(platform, audit_client) as rig:
        await rig.caught_up()
        at = [0, *(one.position for one in await all_events(platform.source.log))]
        assert rig.reader.asked == [(at[0], at[2]), (at[6], at[7]), (at[12], at[14])]
        assert rig.consumer.status().filled == 5
        assert rig.consumer.status().stuck is None
    await platform.handled_equals_log()


async def test_a_consumer_that_comes_late_reads_what_has_expired_from_the_log(
    lossy_relay: RelayRig,
    platform: Platform,
    audit_client: NatsClient,
    administrator: NatsClient,
) -> None:
    await append(platform.source.log, 300)
    await lossy_relay.caught_up()
    await administrator.jetstream().purge_stream(STREAM)
    await append(platform.source.log, 1)
    async with consuming(platform, audit_client) as rig:
        await rig.caught_up()
        assert rig.consumer.status().filled == 300
    await platform.handled_equals_log()


async def test_a_gap_that_cannot_be_filled_stops_the_consumer_which_says_so_and_tries_again(
    lossy_relay: RelayRig,
    platform: Platform,
    audit_client: NatsClient,
    administrator: NatsClient,
) -> None:
    await append(platform.source.log, 5)
    await lossy_relay.caught_up()
    await administrator.jetstream().delete_msg(STREAM, 3)
    own = OwnLogReader(platform.source.log, "conversations")
    reader = Detour(*[ConnectionError()] * 20, own)
    async with consuming(platform, audit_client, reader=reader, options=QUICK) as rig:
        await rig.sticks("GAP")
        await eventually(lambda: len(rig.reader.asked) > 3)
        assert len(await platform.handled()) == 2
        assert rig.consumer.status().lag_seconds > 0
        await rig.caught_up()
    await platform.handled_equals_log()


class Truncated(Unasked):
    """A log that ends one event too early."""

    def __init__(self, reader: LogReader) -> None:
        self._reader = reader

    async def read(self, after: int, until: int) -> AsyncIterator[ReceivedEvent]:
        async for received in self._reader.read(after, until - 1):
            yield received


class Skipping(Unasked):
    """A log that leaves out the first event of what it is asked for."""

    def __init__(self, reader: LogReader) -> None:
        self._reader = reader

    async def read(self, after: int, until: int) -> AsyncIterator[ReceivedEvent]:
        first = True
        async for received in self._reader.read(after, until):
            if not first:
                yield received
            first = False


async def test_a_log_that_ends_early_or_has_a_gap_itself_fills_no_gap(
    lossy_relay: RelayRig,
    platform: Platform,
    audit_client: NatsClient,
    administrator: NatsClient,
) -> None:
    await append(platform.source.log, 9)
    await lossy_relay.caught_up()
    for sequence in (3, 4, 5):
        await administrator.jetstream().delete_msg(STREAM, sequence)
    own = OwnLogReader(platform.source.log, "conversations")
    reader = Detour(Skipping(own), Truncated(own), own)
    async with consuming(platform, audit_client, reader=reader, options=QUICK) as rig:
        await rig.caught_up()
        assert len(rig.reader.asked) == 3
    await platform.handled_equals_log()


@pytest.mark.usefixtures("relay")
async def test_an_event_too_large_for_a_message_is_read_from_the_log(
    platform: Platform, audit_client: NatsClient
) -> None:
    await append(platform.source.log, 2)
    await platform.source.log.append(write(event(bytes(audit_client.max_payload))))
    async with consuming(platform, audit_client) as rig:
        await rig.caught_up()
        await append(platform.source.log, 2)
        await rig.caught_up()
        assert rig.consumer.status().filled == 1
    await platform.handled_equals_log()


async def test_an_event_of_another_epoch_stops_the_consumer_which_says_so(
    relay: RelayRig, platform: Platform, audit_client: NatsClient
) -> None:
    await append(platform.source.log, 3)
    await relay.caught_up()
    await platform.service.execute(
        "insert into audit.consumer_position values ('audit_history', 'conversations', 7, 2)"
    )
    async with consuming(platform, audit_client, options=QUICK) as rig:
        await rig.sticks("OTHER_EPOCH")
        assert await platform.handled() == []


async def test_positions_that_contradict_the_consumers_own_stop_it(
    relay: RelayRig, platform: Platform, audit_client: NatsClient
) -> None:
    await append(platform.source.log, 3)
    await relay.caught_up()
    await platform.source.execute("select setval('conversations.event_position', 10)")
    await append(platform.source.log, 1)
    await platform.service.execute(
        "insert into audit.consumer_position values ('audit_history', 'conversations', 1, 5)"
    )
    async with consuming(platform, audit_client, options=QUICK) as rig:
        await rig.sticks("FORKED")
