"""Work beside a block."""

import asyncio
from contextlib import suppress

import pytest
from messaging import cancellation
from runtime.background import EndedByItself, beside
from runtime.new_id import new_id


async def test_work_runs_beside_the_block_and_is_cancelled_at_its_end() -> None:
    started, cancelled = asyncio.Event(), asyncio.Event()

    async def work() -> None:
        started.set()
        try:
            await asyncio.Event().wait()
        finally:
            cancelled.set()

    async with beside(work):
        await asyncio.wait_for(started.wait(), 5)
    assert cancelled.is_set()


async def test_work_that_swallows_a_cancellation_is_cancelled_again(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(cancellation, "AGAIN_SECONDS", 0.01)
    started, swallowed = asyncio.Event(), asyncio.Event()

    async def work() -> None:
        started.set()
        with suppress(asyncio.CancelledError):
            await asyncio.Event().wait()
        swallowed.set()
        await asyncio.Event().wait()

    async with asyncio.timeout(10):
        async with beside(work):
            await started.wait()
    assert swallowed.is_set()


async def test_work_that_fails_ends_the_block() -> None:
    async def work() -> None:
        raise LookupError

    with pytest.raises(ExceptionGroup) as raised:
        async with beside(work):
            await asyncio.Event().wait()
    assert raised.group_contains(LookupError)


async def test_work_that_returns_ends_the_block() -> None:
    async def work() -> None:
        return

    with pytest.raises(ExceptionGroup) as raised:
        async with beside(work):
            await asyncio.Event().wait()
    assert raised.group_contains(EndedByItself)


async def test_what_the_block_raises_stays_as_it_is() -> None:
    async def work() -> None:
        await asyncio.Event().wait()

    with pytest.raises(LookupError):
        async with beside(work):
            raise LookupError


def test_new_ids_are_version_7_and_in_order_of_time() -> None:
    ids = [new_id() for _ in range(100)]

    assert {one.version for one in ids} == {7}
    assert len(set(ids)) == 100
    assert sorted(one.int >> 80 for one in ids) == [one.int >> 80 for one in ids]
