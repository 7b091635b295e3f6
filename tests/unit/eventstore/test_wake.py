import asyncio

from eventstore.wake import Wake, rung


async def test_a_ring_after_arming_is_not_missed() -> None:
    wake = Wake()
    armed = wake.arm()
    wake.ring(3)

    assert await rung(armed, 5)
    assert wake.position == 3


async def test_a_ring_wakes_everybody_and_only_once() -> None:
    wake = Wake()
    waiting = [asyncio.ensure_future(rung(wake.arm(), 5)) for _ in range(3)]
    await asyncio.sleep(0)
    wake.ring(1)

    assert await asyncio.gather(*waiting) == [True, True, True]
    assert not await rung(wake.arm(), 0.01)


def test_the_position_to_be_seen_never_falls() -> None:
    wake = Wake()
    wake.ring(5)
    wake.ring(2)

    assert wake.position == 5
