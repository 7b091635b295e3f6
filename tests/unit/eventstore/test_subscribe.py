import asyncio
from collections.abc import AsyncIterator

import pytest
from eventstore.event_log import Head, Page, Write
from eventstore.expected_revision import ExpectedRevision
from eventstore.memory import MemoryEventLog
from eventstore.subscribe import follow
from eventstore.testing.conformance_subscribe import next_page
from eventstore.testing.example_events import new_events, new_stream
from eventstore.wake import Wake
from eventstore.watermark import Watermark

EVENTS = 5
HEAD = Head(1, EVENTS)


class Reads:
    """Pages of one event each; notes where each read began and lets it end when told."""

    def __init__(self) -> None:
        self.began: list[int] = []
        self.may_end = asyncio.Event()
        self.cancelled = 0
        self.error: Exception | None = None

    async def follow(self) -> AsyncIterator[Page]:
        log = MemoryEventLog()
        await log.append(Write(new_stream(), ExpectedRevision.ANY, new_events(EVENTS)))

        async def read(after: int, head: Head) -> Page:
            self.began.append(after)
            try:
                await self.may_end.wait()
            except asyncio.CancelledError:
                self.cancelled += 1
                raise
            if self.error:
                raise self.error
            found = [event async for event in log.read_log(after=after, limit=1)]
            return Page(tuple(found), head)

        return follow(Watermark(log.head, Wake()), read, after=0)


async def test_the_next_page_is_read_while_one_is_in_hand() -> None:
    reads = Reads()
    reads.may_end.set()
    pages = await reads.follow()
    first = await next_page(pages)
    await asyncio.sleep(0)

    assert first.position == 1
    assert reads.began == [0, 1]


async def test_no_page_beyond_the_next_is_read_ahead_and_none_beyond_the_head() -> None:
    reads = Reads()
    reads.may_end.set()
    pages = await reads.follow()
    positions = []
    for _ in range(EVENTS):
        positions.append((await next_page(pages)).position)
        await asyncio.sleep(0.01)
        assert len(reads.began) <= len(positions) + 1

    assert positions == list(range(1, EVENTS + 1))
    assert reads.began == list(range(EVENTS))


async def test_a_follower_who_leaves_ends_the_read_ahead() -> None:
    reads = Reads()
    reads.may_end.set()
    pages = await reads.follow()
    await next_page(pages)
    reads.may_end.clear()
    await asyncio.sleep(0)

    await pages.aclose()  # type: ignore[attr-defined]  # an iterator that is a generator

    assert reads.cancelled == 1


async def test_a_read_ahead_that_fails_is_raised_when_its_page_is_asked_for() -> None:
    reads = Reads()
    reads.may_end.set()
    pages = await reads.follow()
    await next_page(pages)
    reads.error = ConnectionError()

    with pytest.raises(ConnectionError):
        await next_page(pages)
