"""Answers that take the same time whatever the reason."""

import asyncio
from contextlib import suppress

import pytest
from identity.application.even_time import EvenTime

STEP = 0.05


async def seconds(even_time: EvenTime, work: float, *, fails: bool = False) -> float:
    loop = asyncio.get_running_loop()
    begun = loop.time()
    refused: list[str] = []
    with suppress(IndexError):
        async with even_time.answering():
            await asyncio.sleep(work)
            if fails:
                refused.pop()
    return loop.time() - begun


@pytest.mark.parametrize("fails", [True, False])
async def test_quick_and_slow_work_are_answered_at_the_same_time(fails: bool) -> None:
    even_time = EvenTime(STEP)

    quick = await seconds(even_time, 0.001, fails=fails)
    slow = await seconds(even_time, 0.03, fails=fails)

    assert quick >= STEP * 0.98
    assert abs(quick - slow) < STEP / 2


async def test_work_beyond_a_step_takes_the_next_one() -> None:
    assert await seconds(EvenTime(STEP), STEP * 1.2) >= STEP * 1.98


async def test_no_step_holds_nothing_back() -> None:
    assert await seconds(EvenTime(0), 0.001) < STEP
