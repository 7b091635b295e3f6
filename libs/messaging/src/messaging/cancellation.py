"""Ends tasks that may not notice that they were cancelled."""

import asyncio
from typing import Any, Final

AGAIN_SECONDS: Final = 5.0


async def cancel_until_ended(*tasks: asyncio.Task[Any]) -> None:
    """Cancel tasks and wait for their ends, cancelling anew those that take over 5 s.

    nats-py swallows a cancellation while it flushes (`Client._flush_pending`), and so may Python
    3.11's `asyncio.wait_for`; a loop around them would run on, and whoever waits would for ever.
    """
    interrupted = False
    while pending := [task for task in tasks if not task.done()]:
        for task in pending:
            task.cancel()
        try:
            await asyncio.wait(pending, timeout=AGAIN_SECONDS)
        except asyncio.CancelledError:
            # Nobody else would end them.
            interrupted = True
    if interrupted:
        raise asyncio.CancelledError
