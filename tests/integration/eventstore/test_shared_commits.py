"""Appends that ride in one statement: each has its own outcome, none waits for a neighbour."""

import asyncio
from collections.abc import AsyncIterator, Sequence

import pytest
from eventstore.errors import EventIdReused, Overloaded, RevisionConflict
from eventstore.event_log import Appended, Write
from eventstore.expected_revision import ExpectedRevision
from eventstore.postgres import PostgresEventLog
from eventstore.postgres.bounds import Bounds
from eventstore.stream_id import StreamId
from eventstore.testing.example_events import OTHER_DIGEST, new_event, new_events, new_stream
from integration.eventstore.log_rig import LogSchema
from integration.eventstore.open_writer import open_writer
from sqlalchemy import text

NO_STREAM, STREAM_EXISTS = ExpectedRevision.NO_STREAM, ExpectedRevision.STREAM_EXISTS
ANY, exact = ExpectedRevision.ANY, ExpectedRevision.exact


@pytest.fixture
async def one_lane(schema: LogSchema) -> AsyncIterator[PostgresEventLog]:
    """What is asked of it at once goes out in one statement."""
    async with PostgresEventLog(schema.engine, schema.name, bounds=Bounds(lanes=1)) as log:
        yield log


async def statements(schema: LogSchema) -> int:
    """How many statements the log's events came in: rows of one have the same transaction."""
    async with schema.superuser.connect() as connection:
        counted = await connection.scalar(
            text(f"select count(distinct xmin::text) from {schema.name}.event")  # noqa: S608
        )
    return int(counted or 0)


async def at_once(
    log: PostgresEventLog, *requests: Sequence[Write]
) -> list[Appended | BaseException]:
    return await asyncio.gather(
        *(log.append(*request) for request in requests), return_exceptions=True
    )


async def revisions(log: PostgresEventLog, stream: StreamId) -> list[int]:
    return [event.revision async for event in log.read_stream(stream)]


async def test_appends_at_once_share_a_statement(
    one_lane: PostgresEventLog, schema: LogSchema
) -> None:
    answers = await at_once(
        one_lane, *([Write(new_stream(), NO_STREAM, new_events(2))] for _ in range(100))
    )

    assert [answer.revisions for answer in answers if isinstance(answer, Appended)] == [(1,)] * 100
    assert await statements(schema) == 1


async def test_what_queues_while_one_is_in_flight_rides_in_the_next(
    one_lane: PostgresEventLog, schema: LogSchema
) -> None:
    first = asyncio.create_task(one_lane.append(Write(new_stream(), NO_STREAM, new_events(1))))
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    await at_once(one_lane, *([Write(new_stream(), NO_STREAM, new_events(1))] for _ in range(50)))
    await first

    assert await statements(schema) == 2


@pytest.mark.parametrize("lanes", [1, 2])
async def test_each_expectation_is_judged_by_itself(schema: LogSchema, lanes: int) -> None:
    async with PostgresEventLog(schema.engine, schema.name, bounds=Bounds(lanes=lanes)) as log:
        old = [new_stream() for _ in range(8)]
        await at_once(log, *([Write(stream, NO_STREAM, new_events(3))] for stream in old))
        answers = await at_once(
            log,
            [Write(new_stream(), NO_STREAM, new_events(1))],
            [Write(old[0], NO_STREAM, new_events(1))],
            [Write(old[1], exact(2), new_events(2))],
            [Write(old[2], exact(1), new_events(2))],
            [Write(old[3], STREAM_EXISTS, new_events(1))],
            [Write(new_stream(), STREAM_EXISTS, new_events(1))],
            [Write(old[4], ANY, new_events(1))],
            [Write(new_stream(), ANY, new_events(1))],
            [Write(old[5], exact(2), new_events(1)), Write(old[6], exact(9), new_events(1))],
            [Write(old[7], exact(2), new_events(1)), Write(new_stream(), NO_STREAM, new_events(1))],
        )

        assert [
            answer.revisions if isinstance(answer, Appended) else type(answer) for answer in answers
        ] == [
            (0,),
            RevisionConflict,
            (4,),
            RevisionConflict,
            (3,),
            RevisionConflict,
            (3,),
            (0,),
            RevisionConflict,
            (3, 0),
        ]
        assert await revisions(log, old[5]) == [0, 1, 2]


async def test_a_repeat_in_a_batch_is_answered_though_the_state_has_moved_on(
    one_lane: PostgresEventLog,
) -> None:
    stream = new_stream()
    first = Write(stream, NO_STREAM, new_events(2))
    landed = await one_lane.append(first)
    await one_lane.append(Write(stream, exact(1), new_events(3)))

    again, other = await at_once(one_lane, [first], [Write(new_stream(), NO_STREAM, new_events(1))])

    assert again == Appended(landed.position, landed.revisions, duplicate=True)
    assert isinstance(other, Appended)


async def test_one_id_in_two_requests_of_a_batch_is_given_to_one_of_them(
    one_lane: PostgresEventLog,
) -> None:
    event = new_event()
    other = new_event(digest=OTHER_DIGEST, event_id=event.id)
    answers = await at_once(
        one_lane,
        [Write(new_stream(), NO_STREAM, (event,))],
        [Write(new_stream(), NO_STREAM, (other,))],
        [Write(new_stream(), NO_STREAM, new_events(1))],
    )

    kinds = [type(answer) for answer in answers]
    assert sorted(kinds[:2], key=str) == sorted([Appended, EventIdReused], key=str)
    assert kinds[2] is Appended


async def test_a_torn_request_leaves_its_neighbours_alone(
    one_lane: PostgresEventLog, schema: LogSchema
) -> None:
    event = new_event()
    await one_lane.append(Write(new_stream(), NO_STREAM, (event,)))
    reused = new_event(digest=OTHER_DIGEST, event_id=event.id)
    torn = new_stream()

    answers = await at_once(
        one_lane,
        [Write(torn, NO_STREAM, (new_event(), reused))],
        *([Write(new_stream(), NO_STREAM, new_events(1))] for _ in range(20)),
    )

    assert isinstance(answers[0], EventIdReused)
    assert all(isinstance(answer, Appended) for answer in answers[1:])
    assert await revisions(one_lane, torn) == []
    assert await statements(schema) == 2


async def test_held_streams_are_sieved_from_a_batch_and_land_when_they_are_free(
    one_lane: PostgresEventLog, schema: LogSchema
) -> None:
    held = [new_stream() for _ in range(3)]
    async with open_writer(schema) as writer:
        await writer.append(*(Write(stream, NO_STREAM, new_events(1)) for stream in held))
        stuck = [
            asyncio.create_task(one_lane.append(Write(stream, ANY, new_events(1))))
            for stream in held
        ]
        neighbours = await at_once(
            one_lane, *([Write(new_stream(), NO_STREAM, new_events(1))] for _ in range(100))
        )
        assert all(isinstance(answer, Appended) for answer in neighbours)
        assert not any(task.done() for task in stuck)
        await writer.commit()

        assert [(await task).revisions for task in stuck] == [(1,)] * 3


async def test_a_client_with_stale_states_does_not_hold_up_its_neighbours(
    one_lane: PostgresEventLog, schema: LogSchema
) -> None:
    moved_on = new_stream()
    await one_lane.append(Write(moved_on, NO_STREAM, new_events(5)))
    stale = [[Write(moved_on, exact(1), new_events(1))] for _ in range(30)]
    fresh = [[Write(new_stream(), NO_STREAM, new_events(1))] for _ in range(30)]

    answers = await at_once(
        one_lane, *(request for pair in zip(stale, fresh, strict=True) for request in pair)
    )

    assert all(isinstance(answer, RevisionConflict) for answer in answers[::2])
    assert all(isinstance(answer, Appended) for answer in answers[1::2])
    # The fresh ones all rode in the first statement beside one of the stale.
    assert await statements(schema) == 2


async def test_bytes_in_flight_are_bounded(schema: LogSchema) -> None:
    bounds = Bounds(in_flight_bytes=1_000_000)
    async with PostgresEventLog(schema.engine, schema.name, bounds=bounds) as log:
        answers = await at_once(
            log,
            *(
                [Write(new_stream(), NO_STREAM, (new_event(data=b"x" * 300_000),))]
                for _ in range(5)
            ),
        )
        assert [type(answer) for answer in answers] == [Appended] * 3 + [Overloaded] * 2
        assert isinstance(await log.append(Write(new_stream(), NO_STREAM, new_events(1))), Appended)
