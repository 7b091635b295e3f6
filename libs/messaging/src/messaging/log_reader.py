"""Reads an owner's log: to fill what a stream does not have, to see what a restore left of it."""

from collections.abc import AsyncIterator
from typing import Protocol

from eventstore.event_log import EventLog, Head

from messaging.headers import from_log
from messaging.received_event import ReceivedEvent


class LogReader(Protocol):
    """Over LogService in another process, or over the log itself in the owner's."""

    async def head(self) -> Head:
        """Tell how far the log is complete, and its epoch."""

    def read(self, after: int, until: int) -> AsyncIterator[ReceivedEvent]:
        """Events with `after` < position <= `until`, in order, each with its previous position."""


class OwnLogReader:
    """A LogReader for a service that consumes its own events."""

    def __init__(self, log: EventLog, service: str) -> None:
        self._log = log
        self._service = service

    async def head(self) -> Head:
        return await self._log.head()

    async def read(self, after: int, until: int) -> AsyncIterator[ReceivedEvent]:
        epoch = (await self._log.head()).epoch
        async for event in self._log.read_log(after=after, until=until):
            yield from_log(self._service, epoch, event)
