import asyncio

from eventstore.event_log import Head, Page
from eventstore.subscribe import follow
from eventstore.wake import Wake


class Floor:
    """A log without events whose head is told; counts how often it is asked."""

    def __init__(self) -> None:
        self.position = 0
        self.asked = 0
        self.asked_often = asyncio.Event()

    async def page(self, _after: int) -> Page:
        self.asked += 1
        if self.asked == 5:
            self.asked_often.set()
        return Page((), Head(1, self.position))


async def test_an_own_append_held_back_by_the_floor_is_looked_for_soon_and_then_less_often() -> (
    None
):
    floor, wake = Floor(), Wake()
    pages = follow(floor.page, wake, after=0)
    await anext(pages)
    waiting = asyncio.ensure_future(anext(pages))
    await asyncio.sleep(0)
    loop = asyncio.get_running_loop()
    started = loop.time()
    wake.ring(7)
    async with asyncio.timeout(5):
        await floor.asked_often.wait()
    looked_four_times = loop.time() - started
    floor.position = 7

    assert (await waiting).position == 7
    assert looked_four_times < 0.2
    assert floor.asked <= 10


async def test_a_quiet_log_is_asked_four_times_a_second() -> None:
    floor = Floor()
    pages = follow(floor.page, Wake(), after=0)
    await anext(pages)
    waiting = asyncio.ensure_future(anext(pages))
    done, _ = await asyncio.wait([waiting], timeout=0.6)
    waiting.cancel()

    assert not done
    assert 2 <= floor.asked <= 4
