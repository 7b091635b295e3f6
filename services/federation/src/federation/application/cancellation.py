"""Work that talks to NATS without end, and still ends when it is cancelled."""

import asyncio


def raise_if_cancelled() -> None:
    """Raise CancelledError in a task that was cancelled and did not notice.

    nats-py swallows a cancellation while it flushes (`Client._flush_pending`), and so may Python
    3.11's `asyncio.wait_for`; a loop around them would run on and its process never end.
    """
    task = asyncio.current_task()
    if task is not None and task.cancelling():
        raise asyncio.CancelledError
