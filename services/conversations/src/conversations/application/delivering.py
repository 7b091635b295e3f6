"""Gives a frontend what waits for it, and goes on with what comes."""

import asyncio
from collections.abc import AsyncGenerator, Sequence
from datetime import datetime
from typing import Final, Protocol

from eventstore.event_log import EventLog

from conversations.application.arrivals import Arrivals, Listener
from conversations.application.commands import Clock
from conversations.application.outgoing import Addressee, Codes, Outbox, Waiting

PAGE: Final = 40
"""As many of the longest texts (4,096 characters of 4 bytes) stay below a message of 1 MiB."""
READ_SECONDS: Final = 10.0
LOOK_SECONDS: Final = 1.0
"""A code that another process took in rings no bell here: it is found by looking."""


class Progress(Protocol):
    """How far the outbox has followed the log: eventstore's ProjectionRunner."""

    async def wait_for(self, position: int, seconds: float) -> None:
        """Raise ProjectionBehind after the seconds."""


def bell_of(tenant: str, frontend: str) -> tuple[str, str, str]:
    """Name the bell that rings when something for a frontend was queued."""
    return ("deliveries", tenant, frontend)


class Delivering:
    """Reads the outbox by position, a page at a time, however slowly a frontend takes them.

    Each delivery is given once a watch, so that one which was not acknowledged comes again when the
    frontend watches anew.
    """

    def __init__(
        self,
        log: EventLog,
        outbox: Outbox,
        codes: Codes,
        progress: Progress,
        arrivals: Arrivals,
        clock: Clock,
        *,
        heartbeat: float,
    ) -> None:
        self._log = log
        self._outbox = outbox
        self._codes = codes
        self._progress = progress
        self._arrivals = arrivals
        self._clock = clock
        self._heartbeat = heartbeat

    async def watch(self, addressee: Addressee) -> AsyncGenerator[Sequence[Waiting], None]:
        """Give deliveries in order of conversation, without end; none is a heartbeat.

        The first answer comes at once, with what was queued before the call, or without any.
        """
        loop = asyncio.get_running_loop()
        key = bell_of(addressee.tenant, addressee.frontend)
        position, given_codes, heard_at = 0, dict[str, datetime](), -self._heartbeat
        with self._arrivals.listening(key) as bell:
            bell.ring((await self._log.head()).position)
            while True:
                bell.clear()
                await self._caught_up(bell)
                now = self._clock()
                given_codes = {name: end for name, end in given_codes.items() if end > now}
                async with asyncio.timeout(READ_SECONDS):
                    messages, reached = await self._outbox.waiting(
                        addressee, after=position, now=now, limit=PAGE
                    )
                    codes = await self._codes.waiting(addressee, now=now, without=given_codes)
                given_codes |= {code.name: code.expire_time for code in codes}
                if messages or codes or loop.time() - heard_at >= self._heartbeat:
                    yield (*messages, *codes)
                    heard_at = loop.time()
                has_more, position = reached > position, reached
                if not has_more:
                    await bell.wait(min(LOOK_SECONDS, self._heartbeat))

    async def _caught_up(self, bell: Listener) -> None:
        if bell.position:
            await self._progress.wait_for(bell.position, self._heartbeat)
