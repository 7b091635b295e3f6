"""Conformance: what a subscriber receives."""

import asyncio
from collections.abc import AsyncIterator

from eventstore.event import RecordedEvent
from eventstore.event_log import EventLog, Page, Write
from eventstore.expected_revision import ExpectedRevision
from eventstore.testing.example_events import new_events, new_stream

ANY = ExpectedRevision.ANY
WANTED = "careline.example.v1.Wanted"
SECONDS = 10.0


class SubscribeConformance:
    """A subscriber receives everything once and in order, and learns how far the log is."""

    async def test_a_subscriber_receives_what_is_there_and_what_comes(
        self, log: EventLog, rival: EventLog
    ) -> None:
        stream = new_stream()
        await log.append(Write(stream, ANY, new_events(3)))
        pages = log.subscribe(after=0)
        there = await take(pages, 3)

        await log.append(Write(stream, ANY, new_events(2)))
        await rival.append(Write(stream, ANY, new_events(1)))
        came = await take(pages, 3)

        assert [event.revision for event in there + came] == [0, 1, 2, 3, 4, 5]

    async def test_an_own_append_is_seen_well_before_the_next_poll(self, log: EventLog) -> None:
        pages = log.subscribe(after=0)
        await next_page(pages)
        waiting = asyncio.ensure_future(next_page(pages))
        loop = asyncio.get_running_loop()
        waits = []
        for _ in range(5):
            started = loop.time()
            await log.append(Write(new_stream(), ANY, new_events(1)))
            await waiting
            waits.append(loop.time() - started)
            waiting = asyncio.ensure_future(next_page(pages))
        waiting.cancel()

        assert min(waits) < 0.1

    async def test_the_first_page_comes_at_once_even_when_there_is_nothing(
        self, log: EventLog
    ) -> None:
        page = await next_page(log.subscribe(after=0))

        assert page.events == ()
        assert page.head == await log.head()
        assert page.position == 0

    async def test_a_subscriber_goes_on_after_its_position(self, log: EventLog) -> None:
        await log.append(Write(new_stream(), ANY, new_events(5)))
        positions = [event.position async for event in log.read_log()]

        page = await next_page(log.subscribe(after=positions[2]))

        assert [event.position for event in page.events] == positions[3:]
        assert page.position == positions[-1]
        assert page.events[0].previous_position == positions[2]

    async def test_a_subscriber_of_some_types_sees_the_head_move_past_the_others(
        self, log: EventLog
    ) -> None:
        stream = new_stream()
        pages = log.subscribe(after=0, types={WANTED})
        await next_page(pages)

        passed = await log.append(Write(stream, ANY, new_events(2)))
        page = await next_page(pages)
        wanted = await log.append(Write(stream, ANY, new_events(2, WANTED)))
        events = await take(pages, 2)

        assert (page.events, page.position) == ((), passed.position)
        assert [event.revision for event in events] == [2, 3]
        assert events[0].previous_position == passed.position
        assert events[-1].position == wanted.position

    async def test_a_long_log_comes_in_bounded_pages(self, log: EventLog) -> None:
        stream = new_stream()
        await log.append(Write(stream, ANY, new_events(1_000)))
        await log.append(Write(stream, ANY, new_events(1, WANTED)))
        pages = log.subscribe(after=0)

        first = await next_page(pages)
        rest = await take(pages, 1_001 - len(first.events))
        wanted = await next_page(log.subscribe(after=0, types={WANTED}))

        assert 0 < len(first.events) < 1_000
        assert first.position < first.head.position
        assert [event.revision for event in (*first.events, *rest)] == list(range(1_001))
        assert [event.revision for event in wanted.events] == [1_000]

    async def test_subscribers_see_everything_once_while_many_append(
        self, log: EventLog, rival: EventLog
    ) -> None:
        streams = [new_stream() for _ in range(5)]
        seen = [asyncio.ensure_future(take(each.subscribe(after=0), 200)) for each in (log, rival)]

        await asyncio.gather(
            *(
                (log, rival)[turn % 2].append(Write(streams[turn % 5], ANY, new_events(2)))
                for turn in range(100)
            )
        )

        recorded = [event.id async for event in log.read_log()]
        for events in await asyncio.gather(*seen):
            assert [event.id for event in events] == recorded

    async def test_a_position_beyond_the_head_waits_for_what_is_beyond_it(
        self, log: EventLog
    ) -> None:
        await log.append(Write(new_stream(), ANY, new_events(2)))
        beyond = (await log.head()).position + 3
        pages = log.subscribe(after=beyond)

        first = await next_page(pages)
        await log.append(Write(new_stream(), ANY, new_events(10)))
        events = await take(pages, 1)

        assert first.events == ()
        assert first.head.position < beyond
        assert events[0].position > beyond


async def next_page(pages: AsyncIterator[Page]) -> Page:
    async with asyncio.timeout(SECONDS):
        return await anext(pages)


async def take(pages: AsyncIterator[Page], count: int) -> list[RecordedEvent]:
    """Collect pages until there are `count` events."""
    events: list[RecordedEvent] = []
    async with asyncio.timeout(SECONDS):
        while len(events) < count:
            events += (await anext(pages)).events
    return events
