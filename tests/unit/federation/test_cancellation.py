import asyncio
from contextlib import suppress

import pytest
from federation.application.cancellation import raise_if_cancelled


async def test_a_loop_whose_cancellation_was_swallowed_still_ends() -> None:
    started = asyncio.Event()

    async def swallowing() -> None:
        while True:
            started.set()
            with suppress(asyncio.CancelledError):
                await asyncio.sleep(10)
            raise_if_cancelled()

    task = asyncio.create_task(swallowing())
    await started.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


async def test_nothing_is_raised_where_nobody_cancelled() -> None:
    with suppress(TimeoutError):
        async with asyncio.timeout(0):
            await asyncio.sleep(1)
    raise_if_cancelled()
