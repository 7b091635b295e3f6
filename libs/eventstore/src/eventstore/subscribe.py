"""Follows a log: pages as they come, the next one read while one is in the follower's hands."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable

from eventstore.event_log import Head, Page
from eventstore.watermark import Watermark

ReadPage = Callable[[int, Head], Awaitable[Page]]
"""Gives the page after a position, up to a head."""


async def follow(watermark: Watermark, read_page: ReadPage, *, after: int) -> AsyncIterator[Page]:
    """Give pages after a position without end, the first one at once."""
    head = await watermark.now()
    ahead: asyncio.Future[Page] | None = None
    try:
        while True:
            page = await (ahead or read_page(after, head))
            ahead = None
            after = max(after, page.position)
            if page.events and after < head.position:
                ahead = asyncio.ensure_future(read_page(after, head))
            yield page
            if ahead is None:
                head = await watermark.beyond(head, after)
    finally:
        if ahead is not None:
            ahead.cancel()
            await asyncio.gather(ahead, return_exceptions=True)
