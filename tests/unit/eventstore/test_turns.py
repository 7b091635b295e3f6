import asyncio

import pytest
from eventstore.errors import Overloaded
from eventstore.testing.example_events import new_stream
from eventstore.turns import Turns


async def test_a_stream_is_used_by_one_at_a_time_in_order_of_arrival() -> None:
    turns, stream = Turns(10), new_stream()
    order: list[int] = []

    async def use(number: int) -> None:
        async with turns.turn(stream):
            order.append(number)
            await asyncio.sleep(0)
            order.append(number)

    await asyncio.gather(*(use(number) for number in range(5)))

    assert order == [number for number in range(5) for _ in range(2)]


async def test_streams_do_not_wait_for_each_other() -> None:
    turns = Turns(10)
    async with turns.turn(new_stream()), turns.turn(new_stream()):
        pass


async def test_a_line_is_bounded_and_forgotten_when_empty() -> None:
    turns, stream = Turns(1), new_stream()
    async with turns.turn(stream):
        second = asyncio.ensure_future(turns.turn(stream).__aenter__())
        await asyncio.sleep(0)
        with pytest.raises(Overloaded):
            await turns.turn(stream).__aenter__()
        second.cancel()
        await asyncio.gather(second, return_exceptions=True)

    assert turns._lines == {}
