"""Answers that take the same time whatever the reason: rounded up to a multiple of a step.

The work behind them is kept alike; what differs still (a row more, a key not in a cache) is far
below one step and disappears in it.
"""

import asyncio
import math
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager


class EvenTime:
    """`step` in seconds; 0 leaves times as they are."""

    def __init__(self, step: float) -> None:
        self._step = step

    @asynccontextmanager
    async def answering(self) -> AsyncIterator[None]:
        """Hold back what the block answers or raises until the step is full."""
        loop = asyncio.get_running_loop()
        begun = loop.time()
        try:
            yield
        finally:
            if self._step > 0:
                steps = math.ceil((loop.time() - begun) / self._step)
                await asyncio.sleep(begun + steps * self._step - loop.time())
