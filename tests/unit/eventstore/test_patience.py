import asyncio

from eventstore.postgres.patience import Patience


async def test_patience_ends_in_time() -> None:
    patience = Patience(0.05)
    loop = asyncio.get_running_loop()
    started = loop.time()
    pauses = 0
    while await patience.pause():
        pauses += 1

    assert pauses > 2
    assert loop.time() - started < 0.5
