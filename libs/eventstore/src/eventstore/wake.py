"""Wakes a log's subscribers in this process when it appends, so that they need not poll fast."""

import asyncio


class Wake:
    """A bell for any number of listeners: arm before reading, wait after finding nothing."""

    def __init__(self) -> None:
        self._rung = asyncio.Event()
        self.position = 0

    def ring(self, position: int) -> None:
        """Wake all who wait; `position` is what there is to be seen."""
        self.position = max(self.position, position)
        self._rung.set()
        self._rung = asyncio.Event()

    def arm(self) -> asyncio.Event:
        """Give what to wait for; taken before a read, no ring after the read's start is missed."""
        return self._rung


async def rung(armed: asyncio.Event, seconds: float) -> bool:
    """Wait for the next ring, at most `seconds`; whether it came."""
    try:
        async with asyncio.timeout(seconds):
            await armed.wait()
    except TimeoutError:
        return False
    return True
