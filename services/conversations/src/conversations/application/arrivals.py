"""Wakes those who watch when something of theirs has been appended.

One follower of the log wakes all watchers of this process, whichever process appended. It hands no
events on: a watcher reads from the log what it lacks, so a slow one holds up nobody and nothing
piles up for it.
"""

import asyncio
import logging
from collections.abc import Callable, Hashable, Iterator
from contextlib import contextmanager
from typing import Final

from eventstore.errors import EventLogError, LogUnavailable
from eventstore.event import RecordedEvent
from eventstore.event_log import EventLog

_log = logging.getLogger(__name__)
_RETRY_SECONDS: Final = 1.0


class Listener:
    """One watcher's bell. Clear it, look at what there is, then wait."""

    def __init__(self) -> None:
        self._rung = asyncio.Event()
        self._failure: EventLogError | None = None
        self.position = 0

    def clear(self) -> None:
        self._rung.clear()

    async def wait(self, seconds: float) -> bool:
        """Wait to be rung and tell whether it was; raises LogUnavailable when nobody can ring."""
        try:
            async with asyncio.timeout(seconds):
                await self._rung.wait()
        except TimeoutError:
            return False
        if self._failure is not None:
            raise self._failure
        return True

    def ring(self, position: int) -> None:
        self.position = max(self.position, position)
        self._rung.set()

    def fail(self, failure: EventLogError) -> None:
        self._failure = failure
        self._rung.set()


class Arrivals:
    """`keys_of` names the bells that an event rings, besides that of its stream."""

    def __init__(
        self, log: EventLog, keys_of: Callable[[RecordedEvent], Iterator[Hashable]]
    ) -> None:
        self._log = log
        self._keys_of = keys_of
        self._listeners: dict[Hashable, set[Listener]] = {}

    @contextmanager
    def listening(self, key: Hashable) -> Iterator[Listener]:
        """Give a bell that rings for the key as long as the context lasts."""
        listener = Listener()
        self._listeners.setdefault(key, set()).add(listener)
        try:
            yield listener
        finally:
            self._listeners[key].discard(listener)
            if not self._listeners[key]:
                del self._listeners[key]

    def ring(self, key: Hashable, position: int = 0) -> None:
        for listener in self._listeners.get(key, ()):
            listener.ring(position)

    async def run(self) -> None:
        """Follow the log until cancelled; while that fails, watchers are told rather than kept."""
        while True:
            try:
                await self._follow()
            except EventLogError as error:
                _log.error("watchers are sent away", extra={"error": type(error).__name__})
                self._send_away()
            await asyncio.sleep(_RETRY_SECONDS)

    async def _follow(self) -> None:
        head = await self._log.head()
        # Whoever came while nobody followed looks again: what he missed lies below this head.
        for key in self._listeners:
            self.ring(key, head.position)
        async for page in self._log.subscribe(after=head.position):
            if page.head.epoch != head.epoch:
                raise LogUnavailable("the log was restored: watch anew")
            for event in page.events:
                self.ring(event.stream, event.position)
                for key in self._keys_of(event):
                    self.ring(key, event.position)

    def _send_away(self) -> None:
        failure = LogUnavailable("the log can not be followed now: watch again later")
        for listeners in self._listeners.values():
            for listener in listeners:
                listener.fail(failure)
