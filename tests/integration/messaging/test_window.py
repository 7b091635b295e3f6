import asyncio
import signal
from collections.abc import Sequence
from contextlib import AbstractAsyncContextManager
from datetime import timedelta

import pytest
from integration.messaging.log_rig import LogRig, all_events, event, write
from integration.messaging.nats_rig import NatsRig
from integration.messaging.relay_rig import eventually
from messaging.connect import NatsClient
from messaging.first_failure import until_one_fails
from messaging.names import stream_name
from messaging.outgoing import Run, RunLimits, outgoing, runs
from messaging.streams import StreamLimits
from messaging.stuck import Reason, Stuck
from messaging.window import Window, WindowLimits, open_window
from nats.js.api import StreamConfig

STREAM = stream_name("conversations")
DUPLICATES_KNOWN_FOR = timedelta(milliseconds=100)
LIMITS = WindowLimits(answer_within=2)


@pytest.fixture
async def client(nats_rig: NatsRig, source_client: NatsClient) -> NatsClient:
    limits = StreamLimits(duplicate_window=DUPLICATES_KNOWN_FOR)
    await nats_rig.provision(["conversations"], limits=limits)
    return source_client


async def runs_of(log_rig: LogRig, *sizes: int, together: int) -> list[Run]:
    """Append events of such sizes and make them out in runs of so many."""
    for size in sizes:
        await log_rig.log.append(write(event(bytes(size))))
    messages = [
        outgoing("conversations", 1, one, max_bytes=1 << 20)
        for one in await all_events(log_rig.log)
    ]
    return list(runs(messages, RunLimits(messages=together, least=2)))


def window(
    client: NatsClient, landed: list[Run], *, after: int = 0
) -> AbstractAsyncContextManager[Window]:
    return open_window(client, after_sequence=after, limits=LIMITS, confirmed=landed.append)


async def send_all(window: Window, pieces: Sequence[Run]) -> None:
    for piece in pieces:
        await window.send(piece)


async def failure_of(window: Window) -> Reason:
    with pytest.raises(Stuck) as stuck:
        await until_one_fails(window.watch())
    return stuck.value.reason


async def bodies(administrator: NatsClient) -> list[int]:
    """Return the sizes of the messages' data, by sequence."""
    js = administrator.jetstream()
    last = (await js.stream_info(STREAM)).state.last_seq
    return [len((await js.get_msg(STREAM, seq=at)).data or b"") for at in range(1, last + 1)]


@pytest.mark.parametrize("together", [1, 3])
async def test_a_late_message_of_a_relay_that_is_gone_is_refused_beyond_the_duplicate_window(
    client: NatsClient, administrator: NatsClient, log_rig: LogRig, together: int
) -> None:
    pieces = await runs_of(log_rig, *range(1, 10), together=together)
    landed: list[Run] = []
    async with window(client, landed) as current, window(client, []) as stale:
        await send_all(current, pieces)
        await eventually(lambda: len(landed) == len(pieces))
        await asyncio.sleep(3 * DUPLICATES_KNOWN_FOR.total_seconds())
        await stale.send(pieces[0])
        assert await failure_of(stale) is Reason.SEQUENCE_MOVED
    assert await bodies(administrator) == list(range(1, 10))


@pytest.mark.parametrize("together", [1, 3])
async def test_behind_a_refused_message_nothing_lands(
    source_client: NatsClient, administrator: NatsClient, log_rig: LogRig, together: int
) -> None:
    await administrator.jetstream().add_stream(
        StreamConfig(
            name=STREAM,
            subjects=["careline.*.conversations.>"],
            max_msg_size=3000,
            allow_atomic=True,
        )
    )
    sizes = [1, 2, 3, 4, 9000, 6, 7, 8, 9]
    pieces = await runs_of(log_rig, *sizes, together=together)
    landed: list[Run] = []
    async with window(source_client, landed) as tried:
        await send_all(tried, pieces)
        assert await failure_of(tried) is Reason.PUBLISH_REFUSED
        with pytest.raises(Stuck):
            await tried.send(pieces[0])
    complete = 4 if together == 1 else 3
    assert await bodies(administrator) == sizes[:complete]
    assert sum(len(run.messages) for run in landed) == complete


async def test_a_window_confirms_runs_in_the_order_they_were_sent(
    client: NatsClient, log_rig: LogRig
) -> None:
    pieces = await runs_of(log_rig, *range(1, 40), together=4)
    landed: list[Run] = []
    async with window(client, landed) as tried:
        await send_all(tried, pieces)
        await eventually(lambda: len(landed) == len(pieces))
    assert landed == pieces


async def test_a_server_that_does_not_acknowledge_is_noticed(
    nats_rig: NatsRig, client: NatsClient, log_rig: LogRig
) -> None:
    [piece] = await runs_of(log_rig, 1, together=1)
    async with window(client, []) as tried:
        nats_rig.signal(signal.SIGSTOP)
        await tried.send(piece)
        assert await failure_of(tried) is Reason.PUBLISH_UNANSWERED
        nats_rig.signal(signal.SIGCONT)


async def test_a_lost_connection_fails_what_is_in_flight_at_once(
    nats_rig: NatsRig, client: NatsClient, log_rig: LogRig
) -> None:
    [piece] = await runs_of(log_rig, 1, together=1)
    async with window(client, []) as tried:
        nats_rig.signal(signal.SIGSTOP)
        await tried.send(piece)
        await nats_rig.kill()
        assert await failure_of(tried) is Reason.NATS_AWAY
        await nats_rig.start()
        await client.wait_connected()


async def test_a_stream_that_is_not_there_is_said_to_be_missing(
    source_client: NatsClient, log_rig: LogRig
) -> None:
    [piece] = await runs_of(log_rig, 1, together=1)
    async with window(source_client, []) as tried:
        await tried.send(piece)
        assert await failure_of(tried) is Reason.NOT_PROVISIONED
