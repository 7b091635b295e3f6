"""Writers that append side by side, with delays and failures, until they are told to stop."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from random import Random

from eventstore.postgres import PostgresEventLog
from integration.messaging.log_rig import event, write

_WRITERS = 6
_LONGEST_PAUSE_SECONDS = 0.1


@asynccontextmanager
async def writing(log: PostgresEventLog, random: Random) -> AsyncIterator[None]:
    """Append by six writers inside the context; every event begun is appended at its end."""
    stop = asyncio.Event()
    async with asyncio.TaskGroup() as group:
        for _ in range(_WRITERS):
            group.create_task(_write(log, random, stop))
        try:
            yield
        finally:
            stop.set()


async def _write(log: PostgresEventLog, random: Random, stop: asyncio.Event) -> None:
    while not stop.is_set():
        events = [
            event(random.randbytes(random.randint(1, 600))) for _ in range(random.randint(1, 9))
        ]
        await log.append(write(*events, tenant=random.choice(["demo", "other"])))
        await asyncio.sleep(random.random() * _LONGEST_PAUSE_SECONDS)
