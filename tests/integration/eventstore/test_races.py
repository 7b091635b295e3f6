"""Appends that meet on the server: each has one certain outcome, and neighbours go on."""

import asyncio

import pytest
from eventstore.errors import EventIdReused, Overloaded, RevisionConflict
from eventstore.event_log import Appended, Write
from eventstore.expected_revision import ExpectedRevision
from eventstore.postgres import PostgresEventLog
from eventstore.testing.example_events import OTHER_DIGEST, new_event, new_events, new_stream
from integration.eventstore.log_rig import LogSchema
from integration.eventstore.open_writer import open_writer

ANY = ExpectedRevision.ANY
NO_STREAM = ExpectedRevision.NO_STREAM


async def is_waiting(task: asyncio.Task[Appended]) -> bool:
    """Whether it is still in flight after more than one lock timeout."""
    done, _ = await asyncio.wait([task], timeout=0.25)
    return not done


@pytest.mark.parametrize("expected", [NO_STREAM, ANY], ids=str)
async def test_a_repeat_waits_for_the_first_that_is_still_in_flight(
    log: PostgresEventLog, schema: LogSchema, expected: ExpectedRevision
) -> None:
    write = Write(new_stream(), expected, new_events(2))
    async with open_writer(schema) as writer:
        first = await writer.append(write)
        repeat = asyncio.create_task(log.append(write))
        assert await is_waiting(repeat)
        await writer.commit()

        assert await repeat == Appended(first.position, first.revisions, duplicate=True)


async def test_a_repeat_lands_itself_when_the_first_is_rolled_back(
    log: PostgresEventLog, schema: LogSchema
) -> None:
    write = Write(new_stream(), NO_STREAM, new_events(2))
    async with open_writer(schema) as writer:
        await writer.append(write)
        repeat = asyncio.create_task(log.append(write))
        assert await is_waiting(repeat)
        await writer.roll_back()

        appended = await repeat
    assert (appended.revisions, appended.duplicate) == ((1,), False)


async def test_an_id_in_flight_is_refused_to_another_request_once_it_has_landed(
    log: PostgresEventLog, schema: LogSchema
) -> None:
    event = new_event()
    async with open_writer(schema) as writer:
        await writer.append(Write(new_stream(), NO_STREAM, (event,)))
        other = new_event(digest=OTHER_DIGEST, event_id=event.id)
        rival = asyncio.create_task(log.append(Write(new_stream(), NO_STREAM, (other,))))
        assert await is_waiting(rival)
        await writer.commit()

        with pytest.raises(EventIdReused):
            await rival


async def torn_race(
    log: PostgresEventLog, schema: LogSchema, expected: ExpectedRevision
) -> Appended:
    """Append three events where another writer's first one is about to take the place of theirs."""
    stream = new_stream()
    await log.append(Write(stream, NO_STREAM, new_events(2)))
    async with open_writer(schema) as writer:
        await writer.append(Write(stream, ExpectedRevision.exact(1), new_events(1)))
        racing = asyncio.create_task(log.append(Write(stream, expected, new_events(3))))
        assert await is_waiting(racing)
        await writer.commit()
        try:
            return await racing
        finally:
            revisions = [event.revision async for event in log.read_stream(stream)]
            assert revisions == list(range(len(revisions)))


async def test_a_race_lost_in_part_is_lost_whole(log: PostgresEventLog, schema: LogSchema) -> None:
    with pytest.raises(RevisionConflict) as lost:
        await torn_race(log, schema, ExpectedRevision.exact(1))
    assert lost.value.actual == 2


async def test_a_race_lost_in_part_is_run_again_by_who_expects_any_revision(
    log: PostgresEventLog, schema: LogSchema
) -> None:
    appended = await torn_race(log, schema, ANY)

    assert (appended.revisions, appended.duplicate) == ((5,), False)


async def test_a_race_lost_on_one_of_two_streams_is_lost_on_both(
    log: PostgresEventLog, schema: LogSchema
) -> None:
    shared, own = new_stream(), new_stream()
    async with open_writer(schema) as writer:
        await writer.append(Write(shared, NO_STREAM, new_events(1)))
        racing = asyncio.create_task(
            log.append(
                Write(own, NO_STREAM, new_events(2)), Write(shared, NO_STREAM, new_events(2))
            )
        )
        assert await is_waiting(racing)
        await writer.commit()
        with pytest.raises(RevisionConflict) as lost:
            await racing

    assert lost.value.stream == shared
    assert [event async for event in log.read_stream(own)] == []


async def test_a_held_stream_does_not_hold_the_others(
    log: PostgresEventLog, schema: LogSchema
) -> None:
    held = new_stream()
    async with open_writer(schema) as writer:
        await writer.append(Write(held, NO_STREAM, new_events(1)))
        stuck = [
            asyncio.create_task(log.append(Write(held, ANY, new_events(1)))) for _ in range(50)
        ]
        await asyncio.sleep(0)
        await asyncio.gather(
            *(log.append(Write(new_stream(), NO_STREAM, new_events(1))) for _ in range(50))
        )
        # All neighbours have landed while none of the others was done or given up.
        assert not any(task.done() for task in stuck)
        await writer.commit()

        landed = await asyncio.gather(*stuck)
    assert sorted(appended.revisions for appended in landed) == [(n,) for n in range(1, 51)]


async def test_a_stream_that_stays_held_is_given_up_in_the_end(schema: LogSchema) -> None:
    held = new_stream()
    async with (
        PostgresEventLog(schema.engine, schema.name, patience=0.5) as log,
        open_writer(schema) as writer,
    ):
        await writer.append(Write(held, NO_STREAM, new_events(1)))
        with pytest.raises(Overloaded, match="held"):
            await log.append(Write(held, ANY, new_events(1)))
        await writer.commit()

        assert (await log.append(Write(held, ANY, new_events(1)))).revisions == (1,)


async def test_writers_who_wait_for_each_other_are_parted(
    log: PostgresEventLog, schema: LogSchema
) -> None:
    one, two = sorted((new_stream(), new_stream()), key=lambda stream: stream.key)
    async with open_writer(schema) as writer:
        await writer.append(Write(two, NO_STREAM, new_events(1)))
        crossing = asyncio.create_task(
            log.append(Write(one, ANY, new_events(1)), Write(two, ANY, new_events(1)))
        )
        await is_waiting(crossing)
        await writer.session.driver.execute("set local lock_timeout = '5s'")
        await writer.append(Write(one, NO_STREAM, new_events(1)))
        await writer.commit()

        assert (await crossing).revisions == (1, 1)
