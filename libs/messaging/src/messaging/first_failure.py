"""Runs endless works side by side until the first of them fails."""

import asyncio
from collections.abc import Coroutine

from messaging.cancellation import cancel_until_ended


class EndedByItself(RuntimeError):
    """A work that should run without end returned."""


async def until_one_fails(*works: Coroutine[None, None, None]) -> None:
    """Run the works; when one fails, end the others and raise what it raised.

    What the others raise while they end is its consequence and not told.
    """
    tasks = [asyncio.create_task(work) for work in works]
    try:
        ended, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        for task in ended:
            task.result()
        raise EndedByItself("a work that should run without end returned")
    finally:
        await cancel_until_ended(*tasks)
        await asyncio.gather(*tasks, return_exceptions=True)
