"""Commands of two processes on one stream, on a real log."""

import asyncio
from collections.abc import AsyncIterator

import pytest
from eventstore.errors import EventIdReused
from eventstore.execute import ConflictPersists, Executed, Executor
from eventstore.postgres import PostgresEventLog
from eventstore.testing.example_events import new_stream
from integration.eventstore.log_rig import LogSchema
from unit.eventstore.ward import (
    WARD,
    Event,
    PatientAdmitted,
    Ward,
    WardCodec,
    admit,
    close,
    new_request,
    open_ward,
)


@pytest.fixture
async def executors(schema: LogSchema) -> AsyncIterator[tuple[Executor, Executor]]:
    async with (
        PostgresEventLog(schema.engine, schema.name) as one,
        PostgresEventLog(schema.rival_engine, schema.name) as two,
    ):
        yield Executor(one, WardCodec()), Executor(two, WardCodec())


async def test_commands_of_two_processes_at_once_each_land_once_or_say_so(
    executors: tuple[Executor, Executor],
) -> None:
    stream = new_stream(category="wards")
    await executors[0].execute(stream, WARD, open_ward, subject="", request=new_request())

    async def one(turn: int) -> Executed[Ward, Event]:
        return await executors[turn % 2].execute(
            stream, WARD, admit, subject="", request=new_request()
        )

    answers = await asyncio.gather(*(one(turn) for turn in range(20)), return_exceptions=True)

    admitted = [answer for answer in answers if isinstance(answer, Executed)]
    failed = [answer for answer in answers if not isinstance(answer, Executed)]
    assert all(isinstance(answer, ConflictPersists) for answer in failed)
    revisions = sorted(answer.revision for answer in admitted)
    assert revisions == list(range(1, len(admitted) + 1))
    beds = {
        answer.events[0].bed for answer in admitted if isinstance(answer.events[0], PatientAdmitted)
    }
    assert beds == set(range(len(admitted)))


async def test_one_request_sent_to_two_processes_at_once_is_executed_once(
    executors: tuple[Executor, Executor],
) -> None:
    for _ in range(20):
        stream = new_stream(category="wards")
        await executors[0].execute(stream, WARD, open_ward, subject="", request=new_request())
        request = new_request()

        one, two = await asyncio.gather(
            *(
                executor.execute(stream, WARD, admit, subject="", request=request)
                for executor in executors
            )
        )

        assert {one.duplicate, two.duplicate} == {False, True}
        assert (one.state, one.events, one.revision, one.position) == (
            two.state,
            two.events,
            two.revision,
            two.position,
        )


async def test_a_request_is_known_in_another_process_and_after_the_state_moved_on(
    executors: tuple[Executor, Executor],
) -> None:
    stream, request = new_stream(category="wards"), new_request(b"admit")
    one, two = executors
    await one.execute(stream, WARD, open_ward, subject="", request=new_request())
    first = await one.execute(stream, WARD, admit, subject="", request=request)
    await one.execute(stream, WARD, close, subject="", request=new_request())

    again = await two.execute(stream, WARD, admit, subject="", request=request)

    assert (again.state, again.events, again.revision) == (first.state, first.events, 1)
    with pytest.raises(EventIdReused):
        await two.execute(
            stream, WARD, admit, subject="", request=new_request(b"admit", digest=b"x" * 32)
        )
