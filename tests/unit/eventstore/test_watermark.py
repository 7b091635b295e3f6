import asyncio

import pytest
from eventstore.event_log import Head
from eventstore.wake import Wake
from eventstore.watermark import Watermark

START = Head(1, 0)


class Floor:
    """A log whose head is told; counts how often it is asked."""

    def __init__(self) -> None:
        self.head = START
        self.error: Exception | None = None
        self.asked = 0
        self.asked_often = asyncio.Event()

    async def ask(self) -> Head:
        self.asked += 1
        if self.asked == 5:
            self.asked_often.set()
        if self.error:
            raise self.error
        return self.head


@pytest.fixture
def floor() -> Floor:
    return Floor()


@pytest.fixture
def wake() -> Wake:
    return Wake()


@pytest.fixture
def watermark(floor: Floor, wake: Wake) -> Watermark:
    return Watermark(floor.ask, wake)


async def test_an_own_append_held_back_by_the_floor_is_looked_for_soon_and_then_less_often(
    floor: Floor, wake: Wake, watermark: Watermark
) -> None:
    waiting = asyncio.ensure_future(watermark.beyond(START, 0))
    await asyncio.sleep(0)
    wake.ring(7)
    async with asyncio.timeout(5):
        await floor.asked_often.wait()
    floor.head = Head(1, 7)

    assert await waiting == Head(1, 7)
    assert floor.asked <= 10


async def test_a_quiet_log_is_asked_ever_less(floor: Floor, watermark: Watermark) -> None:
    waiting = asyncio.ensure_future(watermark.beyond(START, 0))
    done, _ = await asyncio.wait([waiting], timeout=0.6)
    waiting.cancel()

    assert not done
    assert 2 <= floor.asked <= 8


async def test_all_who_wait_are_told_by_one_question(
    floor: Floor, wake: Wake, watermark: Watermark
) -> None:
    waiting = [asyncio.ensure_future(watermark.beyond(START, 0)) for _ in range(20)]
    await asyncio.sleep(0)
    before = floor.asked
    floor.head = Head(1, 3)
    wake.ring(3)

    assert await asyncio.gather(*waiting) == [Head(1, 3)] * 20
    assert floor.asked <= before + 2


async def test_who_waits_for_more_waits_on(floor: Floor, wake: Wake, watermark: Watermark) -> None:
    near, far = (asyncio.ensure_future(watermark.beyond(START, after)) for after in (0, 5))
    await asyncio.sleep(0)
    floor.head = Head(1, 3)
    wake.ring(3)
    await near
    assert not far.done()
    floor.head = Head(1, 6)
    wake.ring(6)

    assert await far == Head(1, 6)


async def test_a_restored_log_is_told_though_its_head_fell(
    floor: Floor, wake: Wake, watermark: Watermark
) -> None:
    waiting = asyncio.ensure_future(watermark.beyond(Head(1, 9), 9))
    await asyncio.sleep(0)
    floor.head = Head(2, 4)
    wake.ring(1)

    assert await waiting == Head(2, 4)


async def test_what_asking_raises_is_raised_to_all_and_the_next_is_asked_anew(
    floor: Floor, watermark: Watermark
) -> None:
    floor.error = ConnectionError("away")
    answers = await asyncio.gather(
        *(watermark.beyond(START, 0) for _ in range(3)), return_exceptions=True
    )
    assert [type(answer) for answer in answers] == [ConnectionError] * 3

    floor.error = None
    floor.head = Head(1, 1)
    assert await watermark.beyond(START, 0) == Head(1, 1)


async def test_nobody_is_asked_when_nobody_waits(floor: Floor, watermark: Watermark) -> None:
    waiting = asyncio.ensure_future(watermark.beyond(START, 0))
    await asyncio.sleep(0.01)
    waiting.cancel()
    await asyncio.gather(waiting, return_exceptions=True)
    asked = floor.asked
    await asyncio.sleep(0.3)

    assert floor.asked == asked


async def test_who_comes_as_the_last_one_leaves_is_told(
    floor: Floor, wake: Wake, watermark: Watermark
) -> None:
    for position in range(1, 50):
        waiting = asyncio.ensure_future(watermark.beyond(START, position - 1))
        await asyncio.sleep(0)
        floor.head = Head(1, position)
        wake.ring(position)
        async with asyncio.timeout(5):
            assert await waiting == Head(1, position)
