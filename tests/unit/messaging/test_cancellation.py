"""Tasks that do not notice that they were cancelled."""

import asyncio
from collections.abc import Callable, Coroutine
from contextlib import suppress

import pytest
from messaging import cancellation
from messaging.cancellation import cancel_until_ended
from messaging.first_failure import until_one_fails


@pytest.fixture(autouse=True)
def _soon(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cancellation, "AGAIN_SECONDS", 0.01)


def deaf(times: int) -> tuple[Callable[[], Coroutine[None, None, None]], asyncio.Event]:
    """Give a work that swallows so many cancellations, and what tells that it runs."""
    runs = asyncio.Event()

    async def work() -> None:
        for _ in range(times):
            with suppress(asyncio.CancelledError):
                runs.set()
                await asyncio.Event().wait()
        await asyncio.Event().wait()

    return work, runs


async def test_a_task_that_swallows_cancellations_is_cancelled_until_it_ends() -> None:
    work, runs = deaf(3)
    task = asyncio.create_task(work())
    await runs.wait()

    async with asyncio.timeout(10):
        await cancel_until_ended(task)

    assert task.cancelled()


async def test_who_is_cancelled_while_tasks_end_still_sees_them_end() -> None:
    work, runs = deaf(2)
    task = asyncio.create_task(work())
    await runs.wait()
    ending = asyncio.create_task(cancel_until_ended(task))
    await asyncio.sleep(0)

    ending.cancel()
    async with asyncio.timeout(10):
        with pytest.raises(asyncio.CancelledError):
            await ending

    assert task.cancelled()


async def test_a_failure_is_raised_although_another_work_swallows_its_cancellation() -> None:
    work, runs = deaf(1)

    async def failing() -> None:
        await runs.wait()
        raise LookupError

    async with asyncio.timeout(10):
        with pytest.raises(LookupError):
            await until_one_fails(work(), failing())
