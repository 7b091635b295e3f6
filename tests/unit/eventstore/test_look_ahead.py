import asyncio
from collections.abc import AsyncIterator
from contextlib import aclosing

import pytest
from eventstore.archive.look_ahead import one_ahead


async def test_the_next_item_is_made_while_one_is_used_and_no_more_than_that() -> None:
    made: list[int] = []
    changed = asyncio.Event()

    async def items() -> AsyncIterator[int]:
        for number in range(4):
            made.append(number)
            changed.set()
            yield number

    seen = []
    async with aclosing(one_ahead(items())) as ahead:
        async for item in ahead:
            seen.append(item)
            while len(made) < min(item + 2, 4):
                changed.clear()
                await changed.wait()
            assert made == list(range(min(item + 2, 4)))
    assert seen == [0, 1, 2, 3]


async def test_what_fails_in_the_making_fails_where_it_is_used() -> None:
    async def items() -> AsyncIterator[int]:
        yield 1
        raise ValueError("broken")

    ahead = one_ahead(items())
    assert await anext(ahead) == 1
    with pytest.raises(ValueError, match="broken"):
        await anext(ahead)


async def test_what_is_being_made_for_nobody_is_ended() -> None:
    ended = asyncio.Event()

    async def items() -> AsyncIterator[int]:
        yield 1
        try:
            await asyncio.Event().wait()
        finally:
            ended.set()

    async with aclosing(one_ahead(items())) as ahead:
        assert await anext(ahead) == 1
        await asyncio.sleep(0)  # so that the next is being made
    assert ended.is_set()
