"""Conformance: a request sent again is answered as the first time, another one is refused."""

import asyncio
from dataclasses import replace

import pytest

from eventstore.errors import EventIdReused
from eventstore.event_log import Appended, EventLog, Write
from eventstore.expected_revision import ExpectedRevision
from eventstore.testing.example_events import (
    OTHER_DIGEST,
    new_event,
    new_events,
    new_id,
    new_stream,
)

ANY = ExpectedRevision.ANY
NO_STREAM = ExpectedRevision.NO_STREAM


class RepeatConformance:
    """Requests are known by event ids and digest."""

    @pytest.mark.parametrize(
        "expected", [ANY, ExpectedRevision.STREAM_EXISTS, ExpectedRevision.exact(1)], ids=str
    )
    async def test_a_repeated_request_is_answered_as_the_first_time(
        self, log: EventLog, rival: EventLog, expected: ExpectedRevision
    ) -> None:
        stream = new_stream()
        await log.append(Write(stream, NO_STREAM, new_events(2)))
        write = Write(stream, expected, new_events(3))
        first = await log.append(write)
        await log.append(Write(stream, ANY, new_events(2)))
        before = await log.head()

        again = await rival.append(write)

        assert again == Appended(first.position, first.revisions, duplicate=True)
        assert await log.head() == before

    async def test_a_repeated_first_request_of_a_stream_is_answered_as_the_first_time(
        self, log: EventLog
    ) -> None:
        for count in (1, 3):
            write = Write(new_stream(), NO_STREAM, new_events(count))
            first = await log.append(write)

            assert await log.append(write) == replace(first, duplicate=True)

    async def test_a_repeated_request_over_several_streams_is_answered_as_the_first_time(
        self, log: EventLog
    ) -> None:
        writes = tuple(Write(new_stream(), NO_STREAM, new_events(2)) for _ in range(3))
        first = await log.append(*writes)

        assert await log.append(*writes) == replace(first, duplicate=True)

    async def test_a_request_may_be_repeated_with_other_bytes(self, log: EventLog) -> None:
        stream, event = new_stream(), new_event(data=b"sealed with one nonce")
        first = await log.append(Write(stream, NO_STREAM, (event,)))

        again = await log.append(
            Write(stream, NO_STREAM, (replace(event, data=b"and with another"),))
        )

        assert again == replace(first, duplicate=True)
        assert [e.data async for e in log.read_stream(stream)] == [b"sealed with one nonce"]

    async def test_an_id_is_refused_to_any_other_request(self, log: EventLog) -> None:
        stream, other = new_stream(), new_stream()
        one, two = events = new_events(2)
        await log.append(Write(stream, NO_STREAM, events))
        before = await log.head()
        others = {
            "another digest": (Write(stream, ANY, (replace(one, digest=OTHER_DIGEST), two)),),
            "another type": (Write(stream, ANY, (replace(one, type="careline.Other"), two)),),
            "another stream": (Write(other, NO_STREAM, events),),
            "another tenant": (Write(new_stream("other"), NO_STREAM, events),),
            "another order": (Write(stream, ANY, (two, one)),),
            "a new event after": (Write(stream, ANY, (one, two, new_event())),),
            "a new event before": (Write(stream, ANY, (new_event(), one, two)),),
            "a new stream beside": (
                Write(other, ANY, new_events(1)),
                Write(stream, ANY, events),
            ),
            "half of it elsewhere": (Write(stream, ANY, (one,)), Write(other, ANY, (two,))),
        }

        for writes in others.values():
            with pytest.raises(EventIdReused):
                await log.append(*writes)

        assert await log.head() == before

    async def test_the_same_request_in_flight_twice_lands_once(
        self, log: EventLog, rival: EventLog
    ) -> None:
        for expected in (NO_STREAM, ANY):
            write = Write(new_stream(), expected, new_events(3))

            answers = await asyncio.gather(
                *((log, rival)[turn % 2].append(write) for turn in range(8))
            )

            assert sorted(answer.duplicate for answer in answers) == [False] + [True] * 7
            assert len({(answer.position, answer.revisions) for answer in answers}) == 1

    async def test_one_id_on_two_streams_at_once_lands_on_one(
        self, log: EventLog, rival: EventLog
    ) -> None:
        event = new_event()

        answers = await asyncio.gather(
            log.append(Write(new_stream(), NO_STREAM, (event,))),
            rival.append(Write(new_stream(), NO_STREAM, (event,))),
            return_exceptions=True,
        )

        assert sorted(type(answer).__name__ for answer in answers) == ["Appended", "EventIdReused"]
        assert len(await log.recall([event.id])) == 1

    async def test_events_are_recalled_by_id_in_order_of_position(self, log: EventLog) -> None:
        stream, events = new_stream(), new_events(3)
        await log.append(Write(stream, NO_STREAM, events))

        recalled = await log.recall([events[2].id, new_id(), events[0].id])

        assert [(event.id, event.revision) for event in recalled] == [
            (events[0].id, 0),
            (events[2].id, 2),
        ]
        assert recalled[0].digest == events[0].digest
        assert await log.recall([]) == []
