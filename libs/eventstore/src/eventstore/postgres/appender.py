"""Appends share statements and commits: what queued while one was in flight rides in the next.

There is no timer: a lone append is sent at once. A request's own refusal never touches its
neighbours, and what another writer's lock or race delays goes on apart from them.
"""

import asyncio
from collections.abc import Callable, Coroutine, Sequence
from typing import Any, Final

from eventstore.errors import EventLogError, LogClosed, LogUnavailable, OutcomeUnknown, Overloaded
from eventstore.event_log import Appended, Write
from eventstore.postgres.append_queue import AppendQueue, Pending
from eventstore.postgres.append_statement import Torn, append_once
from eventstore.postgres.patience import Patience
from eventstore.postgres.server_errors import SERVER_ERRORS, may_pass, nothing_happened, refused
from eventstore.postgres.sessions import Sessions

_SIEVE_PIECES: Final = 16


class Appender:
    """Runs up to `lanes` statements at once, each of as many appends as there are.

    A statement that waits for another writer's lock is given up after the session's lock timeout
    and sieved: its appends go out in small pieces that hardly wait, and those which are held up
    end in sessions of their own, `contested`, where they may wait on.
    """

    def __init__(
        self,
        sessions: Sessions,
        contested: Sessions,
        queue: AppendQueue,
        *,
        lanes: int,
        patience: float,
        landed: Callable[[int], None],
    ) -> None:
        self._sessions = sessions
        self._contested = contested
        self._queue = queue
        self._most_lanes = lanes
        self._patience = patience
        self._landed = landed
        self._lanes = 0
        self._tasks: set[asyncio.Task[None]] = set()
        self._closed = False

    async def append(self, writes: tuple[Write, ...]) -> Appended:
        """Append, whatever becomes of the caller once the request was sent."""
        if self._closed:
            raise LogClosed("the log is closed")
        answer: asyncio.Future[Appended] = asyncio.get_running_loop().create_future()
        pending = Pending(writes, answer, Patience(self._patience))
        self._queue.put(pending)
        self._open_lane()
        try:
            return await answer
        except asyncio.CancelledError:
            if not pending.is_sent:
                self._queue.withdraw(pending)
            raise

    async def close(self) -> None:
        """Answer all that was taken on, and take no more."""
        self._closed = True
        while self._tasks:
            await asyncio.wait(self._tasks)

    def _open_lane(self) -> None:
        if self._lanes < self._most_lanes and self._queue.is_waited_in:
            self._lanes += 1
            self._start(self._run_lane())

    def _start(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(work, name="eventstore-append")
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _run_lane(self) -> None:
        """Send what there is until nothing is left that can be sent now."""
        try:
            while batch := self._queue.take():
                try:
                    await self._settle(batch)
                except BaseException as error:
                    for one in batch:
                        if not one.is_contested:
                            self._answer(one, error)
                    raise
                # Who has an answer now may have more to append: it rides with what waits already.
                await asyncio.sleep(0)
        finally:
            self._lanes -= 1

    async def _settle(self, batch: list[Pending]) -> None:
        """Send a batch until each of it has its answer or is contested."""
        while batch:
            try:
                await self._send(self._sessions, batch)
            except Torn as torn:
                self._contest([batch[place] for place in torn.requests])
                batch = [one for place, one in enumerate(batch) if place not in torn.requests]
                continue
            except (LogUnavailable, Overloaded) as refusal:
                failure: EventLogError = refusal
            except SERVER_ERRORS as error:
                if nothing_happened(error):
                    return await self._sieve(batch)
                failure = _lost(batch, error)
            else:
                return None
            await batch[-1].patience.pause()
            self._give_up([one for one in batch if one.patience.is_over], failure)
            batch = [one for one in batch if not one.is_answered]
        return None

    async def _sieve(self, batch: list[Pending]) -> None:
        """Send a batch in pieces that hardly wait for locks, until those who must are known."""
        if len(batch) == 1:
            return self._contest(batch)
        length = -(-len(batch) // _SIEVE_PIECES)
        for start in range(0, len(batch), length):
            piece = batch[start : start + length]
            try:
                await self._send(self._sessions, piece, impatient=True)
            except EventLogError:
                self._contest(piece)
            except SERVER_ERRORS as error:
                if nothing_happened(error):
                    await self._sieve(piece)
                else:
                    _lost(piece, error)
                    self._contest(piece)
        return None

    async def _send(
        self, sessions: Sessions, batch: Sequence[Pending], *, impatient: bool = False
    ) -> None:
        """One statement, and the answers that are certain after it; who lost a race is contested.

        Raises Torn, LogUnavailable, Overloaded and what the driver raises; nothing is answered
        then.
        """
        requests = [one.writes for one in batch]
        async with sessions.use() as session:
            if impatient:
                async with session.impatient():
                    outcomes = await append_once(session, requests)
            else:
                outcomes = await append_once(session, requests)
        self._landed(
            max((one.position for one in outcomes if isinstance(one, Appended)), default=0)
        )
        for one, outcome in zip(batch, outcomes, strict=True):
            if outcome is None:
                # The server has judged: whatever was sent before, it has not landed.
                one.lost = None
                self._contest([one])
            else:
                self._answer(one, outcome)

    def _contest(self, batch: Sequence[Pending]) -> None:
        for one in batch:
            if not one.is_contested:
                one.is_contested = True
                self._start(self._settle_alone(one))

    async def _settle_alone(self, one: Pending) -> None:
        """Send one append, with the same ids, until its outcome is certain."""
        try:
            while True:
                failure: EventLogError = Overloaded("other writers were always first: try later")
                try:
                    await self._send(self._contested, [one])
                except (LogUnavailable, Overloaded) as refusal:
                    failure = refusal
                except SERVER_ERRORS as error:
                    if not nothing_happened(error):
                        failure = _lost([one], error)
                    elif may_pass(error):
                        failure = Overloaded("the stream is held by another writer: try later")
                    else:
                        return self._answer(one, refused(error))
                if one.is_answered:
                    return None
                if not await one.patience.pause():
                    return self._give_up([one], failure)
        except BaseException as error:
            self._answer(one, error)
            raise

    def _give_up(self, batch: Sequence[Pending], failure: EventLogError) -> None:
        for one in batch:
            if one.lost is None:
                self._answer(one, failure)
            else:
                unknown = OutcomeUnknown("the answer was lost: send the same again")
                unknown.__cause__ = one.lost
                self._answer(one, unknown)

    def _answer(self, one: Pending, outcome: Appended | BaseException) -> None:
        """Answer, once, and let the next append on its streams go."""
        if one.is_answered:
            return
        one.is_answered = True
        if one.answer.cancelled():
            pass  # Its caller has left.
        elif isinstance(outcome, Appended):
            one.answer.set_result(outcome)
        else:
            one.answer.set_exception(outcome)
        self._queue.release(one)
        self._open_lane()


def _lost(batch: Sequence[Pending], error: BaseException) -> EventLogError:
    """Note that nobody knows whether these landed."""
    for one in batch:
        one.lost = error
    return OutcomeUnknown("the answer was lost: send the same again")
