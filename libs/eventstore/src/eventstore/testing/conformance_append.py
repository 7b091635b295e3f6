"""Conformance: what an append does to a log, alone and among others."""

import asyncio

import pytest

from eventstore.durability import Durability
from eventstore.errors import DurabilityUnavailable, RevisionConflict
from eventstore.event_log import MAX_EVENTS, EventLog, Write
from eventstore.expected_revision import ExpectedRevision
from eventstore.testing.example_events import new_event, new_events, new_stream

ANY = ExpectedRevision.ANY
NO_STREAM = ExpectedRevision.NO_STREAM
STREAM_EXISTS = ExpectedRevision.STREAM_EXISTS


class AppendConformance:
    """A log takes what is as expected, whole, and nothing else."""

    @pytest.mark.parametrize(
        ("there", "expected", "lands"),
        [
            (0, NO_STREAM, True),
            (0, ANY, True),
            (0, STREAM_EXISTS, False),
            (0, ExpectedRevision.exact(0), False),
            (3, NO_STREAM, False),
            (3, ANY, True),
            (3, STREAM_EXISTS, True),
            (3, ExpectedRevision.exact(2), True),
            (3, ExpectedRevision.exact(1), False),
            (3, ExpectedRevision.exact(3), False),
            (3, ExpectedRevision.exact(7), False),
        ],
        ids=str,
    )
    @pytest.mark.parametrize("count", [1, 4])
    async def test_an_append_lands_if_the_stream_is_as_expected(
        self, log: EventLog, there: int, expected: ExpectedRevision, lands: bool, count: int
    ) -> None:
        stream = new_stream()
        if there:
            await log.append(Write(stream, NO_STREAM, new_events(there)))
        before = await log.head()
        write = Write(stream, expected, new_events(count))

        if lands:
            appended = await log.append(write)

            assert appended.revisions == (there + count - 1,)
            assert not appended.duplicate
            assert [event.id async for event in log.read_stream(stream, from_revision=there)] == [
                event.id for event in write.events
            ]
        else:
            with pytest.raises(RevisionConflict) as refused:
                await log.append(write)

            assert refused.value.stream == stream
            assert refused.value.expected == expected
            assert refused.value.actual == (there - 1 if there else None)
            assert await log.head() == before

    async def test_several_streams_are_appended_to_together(self, log: EventLog) -> None:
        old, new, other = new_stream(), new_stream(), new_stream()
        await log.append(Write(old, NO_STREAM, new_events(2)))

        appended = await log.append(
            Write(other, ANY, new_events(1)),
            Write(old, ExpectedRevision.exact(1), new_events(3)),
            Write(new, NO_STREAM, new_events(2)),
        )

        assert appended.revisions == (0, 4, 1)
        assert appended.position == (await log.head()).position

    async def test_one_refused_write_refuses_the_whole_append(self, log: EventLog) -> None:
        old, new = new_stream(), new_stream()
        await log.append(Write(old, NO_STREAM, new_events(2)))
        before = await log.head()

        with pytest.raises(RevisionConflict) as refused:
            await log.append(
                Write(new, NO_STREAM, new_events(2)),
                Write(old, ExpectedRevision.exact(0), new_events(1)),
            )

        assert refused.value.stream == old
        assert await log.head() == before
        assert [event async for event in log.read_stream(new)] == []

    async def test_nothing_is_appended_where_replication_is_not_to_be_had(
        self, log: EventLog
    ) -> None:
        stream = new_stream()

        with pytest.raises(DurabilityUnavailable):
            await log.append(
                Write(stream, NO_STREAM, new_events(1)), durability=Durability.REPLICATED
            )

        assert [event async for event in log.read_stream(stream)] == []

    async def test_a_request_that_cannot_be_one_append_is_refused(self, log: EventLog) -> None:
        stream, event = new_stream(), new_event()
        impossible = [
            (),
            (Write(stream, ANY, ()),),
            (Write(stream, ANY, new_events(1)), Write(stream, ANY, new_events(1))),
            (Write(stream, ANY, (event, event)),),
            (Write(stream, ANY, (event,)), Write(new_stream(), ANY, (event,))),
            (Write(stream, ANY, new_events(1)), Write(new_stream("other"), ANY, new_events(1))),
            (Write(stream, ANY, new_events(MAX_EVENTS + 1)),),
        ]

        for writes in impossible:
            with pytest.raises(ValueError, match=r"\w"):
                await log.append(*writes)

        assert (await log.head()).position == 0

    async def test_twenty_appends_to_one_stream_at_once_all_land(
        self, log: EventLog, rival: EventLog
    ) -> None:
        stream = new_stream()
        writes = [Write(stream, ANY, new_events(1 + turn % 3)) for turn in range(20)]

        answers = await asyncio.gather(
            *((log, rival)[turn % 2].append(write) for turn, write in enumerate(writes))
        )

        recorded = [event async for event in log.read_stream(stream)]
        assert [event.revision for event in recorded] == list(range(len(recorded)))
        assert {event.id for event in recorded} == {e.id for write in writes for e in write.events}
        for write, answer in zip(writes, answers, strict=True):
            last = answer.revisions[0]
            place = recorded[last + 1 - len(write.events) : last + 1]
            assert [event.id for event in place] == [event.id for event in write.events]

    @pytest.mark.parametrize("there", [0, 2])
    async def test_of_writers_that_expect_the_same_revision_one_wins(
        self, log: EventLog, rival: EventLog, there: int
    ) -> None:
        stream = new_stream()
        if there:
            await log.append(Write(stream, NO_STREAM, new_events(there)))
        expected = ExpectedRevision.exact(there - 1) if there else NO_STREAM

        answers = await asyncio.gather(
            *(
                (log, rival)[turn % 2].append(Write(stream, expected, new_events(2)))
                for turn in range(10)
            ),
            return_exceptions=True,
        )

        refused = [answer for answer in answers if isinstance(answer, RevisionConflict)]
        assert len(refused) == 9
        assert {conflict.actual for conflict in refused} == {there + 1}
        assert len([event async for event in log.read_stream(stream)]) == there + 2

    async def test_appends_that_share_streams_in_any_order_neither_tear_nor_block(
        self, log: EventLog, rival: EventLog
    ) -> None:
        one, two, three = sorted(new_stream() for _ in range(3))
        orders = [(one, two), (two, one), (two, three), (three, one), (three, two, one)]
        requests = [
            tuple(Write(stream, ANY, new_events(2)) for stream in orders[turn % len(orders)])
            for turn in range(30)
        ]

        await asyncio.gather(
            *((log, rival)[turn % 2].append(*request) for turn, request in enumerate(requests))
        )

        recorded = {event.id: event async for event in log.read_log()}
        assert len(recorded) == sum(2 * len(request) for request in requests)
        for request in requests:
            for write in request:
                first, second = (recorded[event.id] for event in write.events)
                assert (first.stream, second.revision) == (write.stream, first.revision + 1)

    async def test_an_append_whose_caller_leaves_lands_or_is_nowhere(self, log: EventLog) -> None:
        stream = new_stream()
        write = Write(stream, NO_STREAM, new_events(3))
        leaving = asyncio.ensure_future(log.append(write))
        await asyncio.sleep(0)
        leaving.cancel()

        appended = await log.append(write)

        assert appended.revisions == (2,)
        assert len([event async for event in log.read_stream(stream)]) == 3
