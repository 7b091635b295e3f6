"""Waiting for what can only be asked again and again, such as a server's readiness."""

import asyncio
from collections.abc import Awaitable, Callable

POLL_SECONDS = 0.02


async def until(holds: Callable[[], Awaitable[bool]]) -> None:
    """Return once the condition holds; the caller bounds the wait."""
    while True:
        if await holds():
            return
        await asyncio.sleep(POLL_SECONDS)
