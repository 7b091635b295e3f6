"""Spreads appends evenly over time."""

import asyncio

_LONGEST_BACKLOG_SECONDS = 0.5


class Pace:
    """Gives turns at a rate; turns that were missed are made up for, as far as half a second."""

    def __init__(self, rate: float) -> None:
        self._interval = 1 / rate
        self._next = 0.0

    async def turn(self) -> None:
        now = asyncio.get_running_loop().time()
        slot = max(self._next, now - _LONGEST_BACKLOG_SECONDS)
        self._next = slot + self._interval
        if slot > now:
            await asyncio.sleep(slot - now)
