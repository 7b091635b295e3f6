"""A log comes back from its archive byte for byte, as a new epoch, and goes on."""

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from eventstore.archive.errors import ArchiveDamaged, ArchiveEmpty
from eventstore.archive.point import Point
from eventstore.archive.restore import POSITION_GAP, LogDatabase, LogNotEmpty, Restored, restore
from eventstore.errors import RevisionConflict
from eventstore.event_log import EventLog, Write
from eventstore.expected_revision import ExpectedRevision
from eventstore.postgres import PostgresEventLog
from eventstore.testing.conformance_subscribe import next_page
from eventstore.testing.example_events import new_event, new_events, new_stream
from integration.eventstore.log_rig import LogDatabase as Database
from integration.eventstore.log_rig import LogSchema
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError
from unit.eventstore.archive_rig import CLOSE_AT_ONCE, LOG, ArchiveRig

ANY = ExpectedRevision.ANY
Rows = list[tuple[Any, ...]]


@pytest.fixture
async def rig(tmp_path: Path, log: PostgresEventLog) -> ArchiveRig:
    """A log with holes, of two tenants, in two closed segments and a tail."""
    rig = ArchiveRig(tmp_path, log)
    await rig.archive(3, CLOSE_AT_ONCE)
    taken = new_stream("other")
    await log.append(Write(taken, ANY, (new_event(data=b""), new_event(data=bytes(100_000)))))
    await take_positions_for_nothing(log)
    await rig.archive(700, CLOSE_AT_ONCE)
    await take_positions_for_nothing(log)
    await log.append(Write(taken, ExpectedRevision.exact(1), new_events(2)))
    await rig.archive(5)
    return rig


async def take_positions_for_nothing(log: EventLog) -> None:
    """Leave a hole in the log: an id that is taken turns up after the positions were given."""
    stream, event = new_stream(), new_event()
    await log.append(Write(stream, ANY, (event,)))
    with pytest.raises(Exception, match="id"):
        await log.append(Write(new_stream(), ANY, (new_event(), event, new_event())))


async def rows_of(schema: LogSchema) -> Rows:
    async with schema.superuser.begin() as connection:
        found = await connection.execute(
            text(f"select * from {schema.name}.event order by position")  # noqa: S608 - its name
        )
        return [tuple(row) for row in found]


async def restored(rig: ArchiveRig, schema: LogSchema, until: Point = None) -> Restored:
    into = LogDatabase(schema.superuser, schema.name, schema.owner_role)
    return await restore(rig.store, LOG, await rig.public_keys(), into, until=until)


async def test_a_restored_log_equals_the_original(
    rig: ArchiveRig, schema: LogSchema, log_db: Database
) -> None:
    original = await rows_of(schema)
    positions = [row[0] for row in original]
    async with log_db.schema() as empty:
        came_back = await restored(rig, empty)

        assert await rows_of(empty) == original
    assert positions[-1] > len(positions)  # there are holes
    assert came_back == Restored(LOG, 2, positions[-1], len(positions), positions[-1])


async def test_a_restored_log_goes_on_beyond_all_that_was_given(
    rig: ArchiveRig, schema: LogSchema, log_db: Database
) -> None:
    stream = (await rows_of(schema))[0][2]
    end = (await rig.log.head()).position
    async with log_db.schema() as empty:
        await restored(rig, empty)
        async with PostgresEventLog(empty.engine, empty.name) as log:
            head = await log.head()
            [first] = [event async for event in log.read_log(limit=1)]
            with pytest.raises(RevisionConflict):
                await log.append(Write(first.stream, ExpectedRevision.NO_STREAM, new_events(1)))
            appended = await log.append(
                Write(first.stream, ExpectedRevision.exact(2), new_events(1))
            )
            page = await next_page(log.subscribe(after=end))

    assert stream == first.stream.name
    assert (head.epoch, head.position) == (2, end)
    assert appended.position > end + POSITION_GAP
    assert page.head.epoch == 2
    assert [event.previous_position for event in page.events] == [end]


async def test_a_follower_of_the_log_before_is_told_of_the_new_epoch(
    rig: ArchiveRig, log_db: Database
) -> None:
    before = await next_page(rig.log.subscribe(after=0))
    async with log_db.schema() as empty:
        await restored(rig, empty)
        async with PostgresEventLog(empty.engine, empty.name) as log:
            after = await next_page(log.subscribe(after=before.position))

    assert (before.head.epoch, after.head.epoch) == (1, 2)


@pytest.mark.parametrize("index", [0, 1, 3, 400, -1])
async def test_a_log_is_restored_up_to_a_position(
    rig: ArchiveRig, schema: LogSchema, log_db: Database, index: int
) -> None:
    original = await rows_of(schema)
    until = original[index][0]
    async with log_db.schema() as empty:
        came_back = await restored(rig, empty, until)

        assert await rows_of(empty) == [row for row in original if row[0] <= until]
        async with PostgresEventLog(empty.engine, empty.name) as log:
            appended = await log.append(Write(new_stream(), ANY, new_events(1)))
    assert came_back.position == until
    assert appended.position > original[-1][0] + POSITION_GAP


@pytest.mark.parametrize("index", [0, 4, 400, -1])
async def test_a_log_is_restored_up_to_a_time(
    rig: ArchiveRig, schema: LogSchema, log_db: Database, index: int
) -> None:
    original = await rows_of(schema)
    until = original[index][-1]
    async with log_db.schema() as empty:
        await restored(rig, empty, until)

        assert await rows_of(empty) == [row for row in original if row[-1] <= until]


async def test_nothing_is_restored_before_the_first_event(
    rig: ArchiveRig, schema: LogSchema, log_db: Database
) -> None:
    before = (await rows_of(schema))[0][-1] - timedelta(microseconds=1)
    async with log_db.schema() as empty:
        assert (await restored(rig, empty, before)).events == 0
        assert await rows_of(empty) == []


async def test_a_log_that_is_not_empty_is_left_as_it_is(rig: ArchiveRig, schema: LogSchema) -> None:
    original = await rows_of(schema)
    with pytest.raises(LogNotEmpty):
        await restored(rig, schema)

    assert await rows_of(schema) == original
    assert (await rig.log.head()).epoch == 1


def cut_tail(rig: ArchiveRig) -> None:
    [tail] = rig.files("tail.zst")
    tail.write_bytes(tail.read_bytes()[:-1])


def flip_segment(rig: ArchiveRig) -> None:
    last = rig.files("*.segment.zst")[-1]
    content = last.read_bytes()
    last.write_bytes(content[:-1] + bytes([content[-1] ^ 1]))


@pytest.mark.parametrize("damage", [cut_tail, flip_segment])
async def test_a_restore_that_breaks_off_leaves_the_log_empty_and_is_begun_again(
    rig: ArchiveRig,
    schema: LogSchema,
    log_db: Database,
    damage: Callable[[ArchiveRig], None],
) -> None:
    whole = {file: file.read_bytes() for file in rig.files("*")}
    damage(rig)
    async with log_db.schema() as empty:
        with pytest.raises(ArchiveDamaged):
            await restored(rig, empty)
        left = await rows_of(empty)
        for file, content in whole.items():
            file.write_bytes(content)
        await restored(rig, empty)

        assert left == []
        assert await rows_of(empty) == await rows_of(schema)


async def test_a_restore_whose_connection_is_lost_is_begun_again(
    rig: ArchiveRig, schema: LogSchema, log_db: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with log_db.schema() as empty:
        with monkeypatch.context() as patched:
            patched.setattr("eventstore.archive.restore.CopyRows.of", lose_connection)
            with pytest.raises((DBAPIError, OSError)):
                await restored(rig, empty)
        await restored(rig, empty)

        assert await rows_of(empty) == await rows_of(schema)


def lose_connection(*_: object) -> bytes:
    raise ConnectionResetError


async def test_a_restored_log_is_archived_on_and_restored_again(
    rig: ArchiveRig, log_db: Database
) -> None:
    async with log_db.schema() as second, log_db.schema() as third:
        kept = (await rig.log.head()).position - 3
        await restored(rig, second, kept)
        async with PostgresEventLog(second.engine, second.name) as log:
            rig.log = log
            async with rig.archiving(CLOSE_AT_ONCE) as archiver:
                await archiver.wait_for(await rig.append(4))
            await rig.archive(2)
            verified = await rig.verify()
        came_back = await restored(rig, third)

        assert await rows_of(third) == await rows_of(second)
    assert (verified.epoch, came_back.epoch) == (2, 3)
    assert verified.events == came_back.events
    assert len(rig.files("tail.zst")) == 2


async def test_an_epoch_that_only_began_is_not_begun_twice(
    rig: ArchiveRig, schema: LogSchema, log_db: Database
) -> None:
    before = await rig.verify()
    async with log_db.schema() as second, log_db.schema() as third:
        await restored(rig, second)
        async with PostgresEventLog(second.engine, second.name) as log:
            rig.log = log
            async with rig.archiving() as archiver:
                await archiver.wait_for((await log.head()).position)
            begun = await rig.verify()
        came_back = await restored(rig, third)

        assert await rows_of(third) == await rows_of(schema)
    assert came_back.epoch == 3
    assert (begun.epoch, begun.signed_position) == (2, before.signed_position)


async def test_there_is_nothing_to_restore_from_nothing(tmp_path: Path, schema: LogSchema) -> None:
    with pytest.raises(ArchiveEmpty):
        await restored(ArchiveRig(tmp_path / "nothing"), schema)
