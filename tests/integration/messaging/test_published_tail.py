"""A lost log comes back with what was published beyond its archive, and not a message more."""

import json
from collections.abc import Awaitable, Callable, Mapping
from datetime import timedelta
from pathlib import Path

import pytest
from conftest import CreateDatabase
from eventstore.archive.restore import POSITION_GAP
from eventstore.event import RecordedEvent
from eventstore.ids import timed_uuid
from integration.messaging.consumer_rig import CONSUMPTION
from integration.messaging.log_rig import LogRig, all_events, append
from integration.messaging.lost_log_rig import (
    READING,
    LostLog,
    lose_log,
    publish,
    publish_foreign,
    rows_of,
)
from integration.messaging.nats_rig import NatsRig
from integration.messaging.relay_rig import relaying
from integration.messaging.stream_rig import places, stream_content
from integration.messaging.upkeep_rig import verified
from messaging.connect import NatsClient
from messaging.names import stream_name
from messaging.published_tail import PublishedTail

STREAM = stream_name("conversations")
OTHER_ID = timed_uuid(1, bytes(32))


@pytest.fixture
async def lost(
    nats_rig: NatsRig, log_rig: LogRig, tmp_path: Path, create_database: CreateDatabase
) -> LostLog:
    await nats_rig.provision(["conversations"], [CONSUMPTION])
    return await lose_log(nats_rig, log_rig, tmp_path, create_database)


async def test_what_a_relay_had_published_comes_back_and_goes_into_a_new_stream(
    lost: LostLog, source_client: NatsClient, administrator: NatsClient
) -> None:
    async with relaying(lost.source, source_client) as relay:
        await relay.caught_up()
    async with lost.empty() as log:
        restored = await lost.restore(log)
        renewal = await lost.renew(log)
        again = await lost.renew(log)
        assert await rows_of(log) == await rows_of(lost.source)
        assert (restored.streamed, restored.tail_ended) == (len(lost.beyond), None)
        assert (restored.epoch, restored.position) == (2, lost.beyond[-1].position)
        assert (renewal.renewed, renewal.left_out, again.renewed) == (True, 0, True)

        await append(log.log, 1)
        async with relaying(log, source_client) as relay:
            await relay.caught_up()
        assert (await verified(lost.nats, log)).ok
        assert (await lost.renew(log)).renewed
        events = await all_events(log.log)
    assert events[-1].position > lost.beyond[-1].position + POSITION_GAP
    published = await stream_content(administrator, STREAM, expected=len(events))
    assert places(published) == places(events)


async def test_a_stream_that_is_not_there_leaves_the_archive(
    lost: LostLog, administrator: NatsClient
) -> None:
    await administrator.jetstream().delete_stream(STREAM)
    async with lost.empty() as log:
        restored = await lost.restore(log)
        renewal = await lost.renew(log)
        assert (restored.streamed, restored.events) == (0, len(lost.archived))
    assert renewal.renewed
    assert (await administrator.jetstream().stream_info(STREAM)).state.messages == 0


async def test_messages_that_no_relay_published_among_the_archived_ones_hide_nothing(
    lost: LostLog, administrator: NatsClient
) -> None:
    for one in lost.archived:
        await publish_foreign(administrator)
        await publish(administrator, [one])
    await publish(administrator, lost.beyond)
    async with lost.empty() as log:
        restored = await lost.restore(log)
        assert await rows_of(log) == await rows_of(lost.source)
    assert restored.streamed == len(lost.beyond)


Break = Callable[[NatsClient, list[RecordedEvent]], Awaitable[None]]


async def with_a_gap(client: NatsClient, beyond: list[RecordedEvent]) -> None:
    await publish(client, [*beyond[:3], *beyond[4:]])


async def with_omitted_bytes(client: NatsClient, beyond: list[RecordedEvent]) -> None:
    await publish(client, beyond[:3])
    await publish(client, beyond[3:4], max_bytes=1)
    await publish(client, beyond[4:])


async def with_another_epoch(client: NatsClient, beyond: list[RecordedEvent]) -> None:
    await publish(client, beyond[:3])
    await publish(client, beyond[3:], epoch=2)


async def with_a_foreign_message(client: NatsClient, beyond: list[RecordedEvent]) -> None:
    await publish(client, beyond[:3])
    await publish_foreign(client)
    await publish(client, beyond[3:])


async def without_a_digest(client: NatsClient, beyond: list[RecordedEvent]) -> None:
    await publish(client, beyond[:3])
    await publish(client, beyond[3:4], headers={"careline-digest": ""})
    await publish(client, beyond[4:])


async def with_a_revision_left_out(client: NatsClient, beyond: list[RecordedEvent]) -> None:
    skipping = beyond[3]._replace(revision=beyond[3].revision + 1)
    await publish(client, [*beyond[:3], skipping, *beyond[4:]])


async def with_an_event_twice(client: NatsClient, beyond: list[RecordedEvent]) -> None:
    await publish(client, beyond[:3])
    again = beyond[3]._replace(id=beyond[0].id)
    # The server would take it for a repeated message by its id.
    await publish(client, [again], headers={"Nats-Msg-Id": str(OTHER_ID)})
    await publish(client, beyond[4:])


@pytest.mark.parametrize(
    ("breaks", "said", "left_out"),
    [
        (with_a_gap, "a gap", 2),
        (with_omitted_bytes, "too large", 3),
        (with_another_epoch, "epoch 2", 3),
        (with_a_foreign_message, "did not publish", 4),
        (without_a_digest, "incompletely", 3),
        (with_a_revision_left_out, "does not follow in its stream", 3),
        (with_an_event_twice, "an event that the log has", 3),
    ],
)
async def test_a_tail_is_taken_as_far_as_it_chains_and_the_rest_is_told_and_kept(
    lost: LostLog, administrator: NatsClient, breaks: Break, said: str, left_out: int
) -> None:
    await publish(administrator, lost.archived)
    await breaks(administrator, lost.beyond)
    before = (await administrator.jetstream().stream_info(STREAM)).state.messages
    async with lost.empty() as log:
        restored = await lost.restore(log)
        original = await rows_of(lost.source)
        assert await rows_of(log) == original[: len(lost.archived) + 3]
        assert restored.streamed == 3
        assert said in (restored.tail_ended or "")

        stands = await lost.renew(log)
        assert (stands.renewed, stands.left_out, stands.kept_in) == (False, left_out, None)
        assert (await administrator.jetstream().stream_info(STREAM)).state.messages == before

        renewed = await lost.renew(log, leaves_out=True)
        [file] = lost.kept.iterdir()
        kept = [json.loads(line) for line in file.read_text().splitlines()]
        await append(log.log, 1)
        appended = (await all_events(log.log))[-1]
        assert (renewed.renewed, len(kept), renewed.kept_in) == (True, left_out, str(file))
        assert (await administrator.jetstream().stream_info(STREAM)).state.messages == 0
    assert restored.epoch > 1 + (breaks is with_another_epoch)
    assert appended.position > lost.beyond[-1].position + POSITION_GAP
    assert file.stat().st_mode & 0o077 == 0


@pytest.mark.parametrize("index", [0, 3, 5])
async def test_a_log_is_restored_up_to_a_point_within_the_tail(
    lost: LostLog, administrator: NatsClient, index: int
) -> None:
    await publish(administrator, [*lost.archived, *lost.beyond])
    last = lost.beyond[index]
    original = await rows_of(lost.source)
    for until in (last.position, last.recorded_at):
        async with lost.empty() as log:
            restored = await lost.restore(log, until=until)
            rows = await rows_of(log)
            [kept] = [row for row in original if row[0] == rows[-1][0]]
            assert rows == original[: len(rows)]
            assert restored.tail_ended is None
        assert restored.position == kept[0]
        assert kept[-1] == last.recorded_at


async def test_who_read_a_tail_up_to_a_point_is_gone_before_it_is_read_again(
    lost: LostLog, administrator: NatsClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    await publish(administrator, [*lost.archived, *lost.beyond])
    readers: list[bool] = []
    reach = PublishedTail.reach

    async def looked_at(tail: PublishedTail, archived: Mapping[int, int]) -> tuple[int, int]:
        consumers = await administrator.jetstream().consumers_info(STREAM)
        readers.append(READING.durable in {one.name for one in consumers})
        return await reach(tail, archived)

    monkeypatch.setattr(PublishedTail, "reach", looked_at)
    for until in (lost.beyond[2].position, lost.beyond[2].recorded_at):
        async with lost.empty() as log:
            assert (await lost.restore(log, until=until)).epoch == 2
    assert readers == [False, False]


async def test_a_point_before_the_tail_takes_none_of_it(
    lost: LostLog, administrator: NatsClient
) -> None:
    await publish(administrator, [*lost.archived, *lost.beyond])
    last = lost.archived[3]
    for until in (last.position, last.recorded_at):
        async with lost.empty() as log:
            restored = await lost.restore(log, until=until)
        assert (restored.position, restored.streamed) == (last.position, 0)
    before = lost.archived[0].recorded_at - timedelta(seconds=1)
    async with lost.empty() as log:
        assert (await lost.restore(log, until=before)).events == 0


async def test_from_the_archive_alone_no_position_is_given_out_that_was_published(
    lost: LostLog, administrator: NatsClient
) -> None:
    far = lost.beyond[0]._replace(position=5_000_000)
    await publish(administrator, [*lost.archived, far], epoch=1)
    async with lost.empty() as log:
        restored = await lost.restore(log, archive_only=True)
        await append(log.log, 1)
        appended = (await all_events(log.log))[-1]
        renewal = await lost.renew(log, leaves_out=True)
    assert (restored.streamed, restored.events) == (0, len(lost.archived))
    assert appended.position > far.position + POSITION_GAP
    assert (renewal.left_out, renewal.from_position) == (1, far.position)


async def test_a_restore_that_is_broken_off_in_the_tail_is_begun_again(
    lost: LostLog, administrator: NatsClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    await publish(administrator, [*lost.archived, *lost.beyond])
    async with lost.empty() as log:
        with monkeypatch.context() as patched:
            patched.setattr("eventstore.archive.tail_import.TailImport._known_ids", break_off)
            with pytest.raises(ConnectionResetError):
                await lost.restore(log)
        left = await rows_of(log)
        await lost.restore(log)
        assert left == []
        assert await rows_of(log) == await rows_of(lost.source)


async def break_off(*_: object) -> None:
    raise ConnectionResetError
