"""A REPLICATED append is answered when it is safe elsewhere, and not before."""

import asyncio

import pytest
from eventstore.durability import Durability
from eventstore.errors import (
    DurabilityUnavailable,
    LogUnavailable,
    NotYetReplicated,
    RevisionConflict,
)
from eventstore.event_log import Write
from eventstore.execute import Executor
from eventstore.expected_revision import ExpectedRevision
from eventstore.postgres import PostgresEventLog
from eventstore.testing.example_events import new_events, new_stream
from integration.eventstore.log_rig import LogSchema
from unit.eventstore.ward import WARD, WardClosed, WardCodec, close, new_request, open_ward

NO_STREAM = ExpectedRevision.NO_STREAM
REPLICATED = Durability.REPLICATED


class Elsewhere:
    """A place that has the log up to a position, which a test moves."""

    def __init__(self) -> None:
        self._moved = asyncio.Event()
        self._position = 0
        self.asked: list[int] = []

    def has(self, position: int) -> None:
        self._position = position
        self._moved.set()
        self._moved = asyncio.Event()

    async def replicated(self, position: int) -> None:
        self.asked.append(position)
        while self._position < position:
            await self._moved.wait()


async def test_an_append_waits_until_it_is_safe_elsewhere(schema: LogSchema) -> None:
    elsewhere = Elsewhere()
    async with PostgresEventLog(schema.engine, schema.name, replication=elsewhere) as log:
        await log.append(Write(new_stream(), NO_STREAM, new_events(2)))
        assert elsewhere.asked == []

        waiting = asyncio.create_task(
            log.append(Write(new_stream(), NO_STREAM, new_events(2)), durability=REPLICATED)
        )
        done, _ = await asyncio.wait([waiting], timeout=0.1)
        assert not done
        elsewhere.has(3)
        done, _ = await asyncio.wait([waiting], timeout=0.05)
        assert not done
        elsewhere.has(4)

        assert (await waiting).position == 4


async def test_an_append_not_replicated_in_time_says_so_and_may_be_sent_again(
    schema: LogSchema,
) -> None:
    elsewhere = Elsewhere()
    async with PostgresEventLog(
        schema.engine, schema.name, replication=elsewhere, replication_timeout=0.05
    ) as log:
        write = Write(new_stream(), NO_STREAM, new_events(2))
        with pytest.raises(NotYetReplicated, match="same") as late:
            await log.append(write, durability=REPLICATED)
        with pytest.raises(NotYetReplicated):
            await log.append(write, durability=REPLICATED)
        elsewhere.has(late.value.position)

        again = await log.append(write, durability=REPLICATED)

        assert (again.position, again.duplicate) == (2, True)
        assert len([event async for event in log.read_stream(write.stream)]) == 2


class Unreachable:
    async def replicated(self, _position: int) -> None:
        raise LogUnavailable("no connection to where it is replicated")


async def test_a_gate_that_fails_does_not_deny_the_append(schema: LogSchema) -> None:
    async with PostgresEventLog(schema.engine, schema.name, replication=Unreachable()) as log:
        write = Write(new_stream(), NO_STREAM, new_events(1))
        with pytest.raises(NotYetReplicated):
            await log.append(write, durability=REPLICATED)

        assert (await log.append(write)).duplicate


async def test_a_conflict_is_not_waited_for(schema: LogSchema) -> None:
    elsewhere = Elsewhere()
    async with PostgresEventLog(schema.engine, schema.name, replication=elsewhere) as log:
        with pytest.raises(RevisionConflict):
            await log.append(
                Write(new_stream(), ExpectedRevision.exact(3), new_events(1)), durability=REPLICATED
            )

        assert elsewhere.asked == []


async def test_without_a_gate_nothing_is_written(
    log: PostgresEventLog,
) -> None:
    stream = new_stream()
    with pytest.raises(DurabilityUnavailable):
        await log.append(Write(stream, NO_STREAM, new_events(1)), durability=REPLICATED)

    assert [event async for event in log.read_stream(stream)] == []


async def test_a_command_repeated_after_its_replication_failed_waits_for_it_again(
    schema: LogSchema,
) -> None:
    elsewhere = Elsewhere()
    stream = new_stream(category="wards")
    async with PostgresEventLog(
        schema.engine, schema.name, replication=elsewhere, replication_timeout=0.05
    ) as log:
        executor = Executor(log, WardCodec())
        request = new_request(b"close")
        await executor.execute(stream, WARD, open_ward, subject="", request=new_request())
        for _ in range(2):
            with pytest.raises(NotYetReplicated):
                await executor.execute(
                    stream, WARD, close, subject="", request=request, durability=REPLICATED
                )
        elsewhere.has(2)

        executed = await executor.execute(
            stream, WARD, close, subject="", request=request, durability=REPLICATED
        )

    assert (executed.events, executed.duplicate) == ((WardClosed(),), True)
