"""Appends in flight: bounded, at most one a stream, each retried until its outcome is certain."""

import asyncio
from collections.abc import Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass

from eventstore.errors import EventLogError, LogUnavailable, OutcomeUnknown, Overloaded
from eventstore.event_log import Appended, Write
from eventstore.postgres.append_statement import append_once
from eventstore.postgres.patience import Patience
from eventstore.postgres.server_errors import SERVER_ERRORS, may_pass, nothing_happened, refused
from eventstore.postgres.sessions import Sessions
from eventstore.turns import Turns


@dataclass(slots=True, eq=False)
class _Request:
    writes: tuple[Write, ...]
    is_sent: bool = False


class Appender:
    """Gives each request a task, and its attempts one of few sessions.

    A stream is in at most one statement of this process at a time: its requests would only wait
    for each other on the server. What another process's lock or race delays goes on in sessions
    of its own, `contested`, so that its neighbours wait for no more than one lock timeout.
    """

    def __init__(
        self,
        sessions: Sessions,
        contested: Sessions,
        *,
        in_flight: int,
        patience: float,
        landed: Callable[[int], None],
    ) -> None:
        self._sessions = sessions
        self._contested = contested
        self._most_in_flight = in_flight
        self._patience = patience
        self._landed = landed
        self._turns = Turns(in_flight)
        self._in_flight: set[asyncio.Task[Appended]] = set()

    async def append(self, writes: tuple[Write, ...]) -> Appended:
        """Append, whatever becomes of the caller once the request was sent."""
        if len(self._in_flight) >= self._most_in_flight:
            raise Overloaded(f"{self._most_in_flight} appends are in flight: try again later")
        request = _Request(writes)
        task = asyncio.create_task(self._take_turn(request), name="eventstore-append")
        self._in_flight.add(task)
        task.add_done_callback(self._in_flight.discard)
        try:
            return await asyncio.shield(task)
        except asyncio.CancelledError:
            if not request.is_sent:
                task.cancel()
            raise

    async def close(self) -> None:
        """Wait until all that was taken on is answered."""
        while self._in_flight:
            await asyncio.wait(self._in_flight)

    async def _take_turn(self, request: _Request) -> Appended:
        async with AsyncExitStack() as turns:
            # In one order for all, so that no two requests wait for each other.
            for stream in sorted(write.stream for write in request.writes):
                await turns.enter_async_context(self._turns.turn(stream))
            appended = await self._settle(request)
            self._landed(appended.position)
            return appended

    async def _settle(self, request: _Request) -> Appended:
        """Send a request, with the same ids, until its outcome is certain."""
        patience = Patience(self._patience)
        lost: BaseException | None = None
        sessions = self._sessions
        while True:
            refusal: EventLogError
            try:
                async with sessions.use() as session:
                    request.is_sent = True
                    appended = await append_once(session, request.writes)
                if appended is not None:
                    return appended
                lost = None
                refusal = Overloaded("other writers were always first: try again later")
            except (LogUnavailable, Overloaded) as error:
                refusal = error
            except SERVER_ERRORS as error:
                if not nothing_happened(error):
                    lost = error
                elif not may_pass(error):
                    raise refused(error) from error
                refusal = Overloaded("the stream is held by another writer: try again later")
            if not await patience.pause():
                if lost is None:
                    raise refusal
                raise OutcomeUnknown("the answer was lost: send the same again") from lost
            sessions = self._contested
