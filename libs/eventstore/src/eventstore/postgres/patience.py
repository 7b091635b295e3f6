"""How long to go on trying: growing pauses, in all no longer than was allowed."""

import asyncio
import random

_FIRST_PAUSE_SECONDS = 0.002
_LONGEST_PAUSE_SECONDS = 0.25


class Patience:
    """For one request; `pause` between its tries."""

    __slots__ = ("_deadline", "_loop", "_pause")

    def __init__(self, seconds: float) -> None:
        self._loop = asyncio.get_running_loop()
        self._deadline = self._loop.time() + seconds
        self._pause = _FIRST_PAUSE_SECONDS

    @property
    def is_over(self) -> bool:
        """Whether there is no time for another pause."""
        return self._loop.time() + self._pause > self._deadline

    async def pause(self) -> bool:
        """Wait a little, spread at random; False when the time is up."""
        if self.is_over:
            return False
        await asyncio.sleep(self._pause * random.random())  # noqa: S311 - spreads tries, no secret
        self._pause = min(self._pause * 2, _LONGEST_PAUSE_SECONDS)
        return True
