"""Follows a log: pages as they come, woken by own appends, polling for those of others."""

from collections.abc import AsyncIterator, Awaitable, Callable

from eventstore.event_log import Page
from eventstore.wake import Wake, rung

POLL_SECONDS = 0.25
_SOON_SECONDS = 0.005

ReadPage = Callable[[int], Awaitable[Page]]


async def follow(read_page: ReadPage, wake: Wake, *, after: int) -> AsyncIterator[Page]:
    """Pages after a position without end.

    An own append that the log's head does not cover yet (another writer holds the floor) is
    looked for again soon, at growing intervals, rather than at the next poll.
    """
    first = True
    pause = _SOON_SECONDS
    while True:
        armed = wake.arm()
        page = await read_page(after)
        if page.events or first or page.head.position > after:
            first = False
            after = max(after, page.position)
            yield page
            continue
        uncovered = wake.position > page.head.position
        if await rung(armed, pause if uncovered else POLL_SECONDS):
            pause = _SOON_SECONDS
        else:
            pause = min(pause * 2, POLL_SECONDS)
