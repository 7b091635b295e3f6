"""How far a log is complete: asked for once for all who follow it."""

import asyncio
from collections.abc import Awaitable, Callable

from eventstore.event_log import Head
from eventstore.wake import Wake, rung

POLL_SECONDS = 0.25
_SOON_SECONDS = 0.01


class Watermark:
    """Asks for the log's head as long as somebody waits for it to move.

    Own appends ring `wake`; those of others, and own ones that the head does not cover yet (another
    writer holds the floor), are found by asking: soon after the head moved, for more may come, then
    at growing intervals.
    """

    def __init__(self, ask: Callable[[], Awaitable[Head]], wake: Wake) -> None:
        self._ask = ask
        self._wake = wake
        self._head: Head | None = None
        self._next: asyncio.Future[Head] | None = None
        self._waiting = 0
        self._asking: asyncio.Task[None] | None = None
        self._is_idle = False

    async def now(self) -> Head:
        """Ask for the head as it is now."""
        return await self._ask()

    async def beyond(self, seen: Head, position: int) -> Head:
        """Wait for a head beyond a position, or of another epoch than the one that was seen.

        Raises what asking raises.
        """
        self._waiting += 1
        try:
            while True:
                head = self._head
                if head and (head.position > position or head.epoch != seen.epoch):
                    return head
                if self._next is None:
                    self._next = asyncio.get_running_loop().create_future()
                if self._asking is None:
                    self._asking = asyncio.create_task(self._run(), name="eventstore-watermark")
                await asyncio.shield(self._next)
        finally:
            self._waiting -= 1
            if not self._waiting and self._is_idle and self._asking is not None:
                # Only between two questions: one that is cut off costs its connection.
                self._asking.cancel()
                self._asking, self._is_idle = None, False

    async def _run(self) -> None:
        pause = _SOON_SECONDS
        try:
            while self._waiting:
                armed = self._wake.arm()
                head = await self._ask()
                if head != self._head:
                    self._head = head
                    if announced := self._taken():
                        announced.set_result(head)
                    pause = _SOON_SECONDS
                self._is_idle = True
                is_rung = await rung(armed, pause)
                self._is_idle = False
                pause = _SOON_SECONDS if is_rung else min(pause * 2, POLL_SECONDS)
        # Whatever it is, whoever waits has it raised.
        except Exception as error:  # noqa: BLE001
            if announced := self._taken():
                announced.set_exception(error)
        finally:
            if self._asking is asyncio.current_task():
                self._asking, self._is_idle = None, False

    def _taken(self) -> asyncio.Future[Head] | None:
        """Take what the waiting wait for; those who wait on wait for another."""
        taken, self._next = self._next, None
        return taken
