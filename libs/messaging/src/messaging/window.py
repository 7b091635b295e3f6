"""Publishes runs of messages in order, several in flight, so that the stream has no hole.

Every run says after which sequence it belongs, and the server takes it there or not at all. So a
run that fails takes all behind it with it, and of two relays, or of a late message of a relay that
is gone, the stream takes each event once: the message after sequence n is always the event that
follows the one at n. A run of more than one message is an atomic batch: one answer, one fsync.
"""

import asyncio
import json
from collections import deque
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from uuid import uuid4

from nats.aio.msg import Msg

from messaging.connect import NatsClient
from messaging.headers import EXPECTED_LAST_SEQUENCE
from messaging.outgoing import Run
from messaging.stuck import Reason, Stuck

_BATCH_ID = "Nats-Batch-Id"
_BATCH_SEQUENCE = "Nats-Batch-Sequence"
_BATCH_COMMIT = "Nats-Batch-Commit"

_WRONG_LAST_SEQUENCE = 10071
_DUPLICATE_IN_BATCH = 10201
_FULL = frozenset({10023, 10047, 10077})
_NO_RESPONDERS = "503"
_YIELD_EVERY = 32


@dataclass(frozen=True, slots=True)
class WindowLimits:
    """How much is in flight at once, and how long (seconds) an acknowledgement may take."""

    messages: int = 1024
    size: int = 4 << 20
    answer_within: float = 5.0


@dataclass(slots=True)
class _Flight:
    """A run that was sent: the sequence its last message is to get, and whether it got it."""

    run: Run
    sequence: int
    sent_at: float
    landed: bool = False


class Window:
    """Runs in flight behind one sequence of a stream; `confirmed` is told each that landed.

    `landed` is the last sequence that was acknowledged together with all before it.
    """

    def __init__(
        self,
        client: NatsClient,
        *,
        after_sequence: int,
        limits: WindowLimits,
        confirmed: Callable[[Run], None],
    ) -> None:
        self._client = client
        self._sequence = after_sequence
        self.landed = after_sequence
        self._limits = limits
        self._confirmed = confirmed
        self.answers_to = client.new_inbox()
        self._flights: deque[_Flight] = deque()
        self._first = 0
        self._messages = 0
        self._size = 0
        self._changed = asyncio.Event()
        self._failure: Stuck | None = None

    async def send(self, run: Run) -> None:
        """Send a run as soon as there is room. Raises Stuck when one before it failed."""
        await self._until_room(run)
        loop = asyncio.get_running_loop()
        before, self._sequence = self._sequence, self._sequence + len(run.messages)
        number = self._first + len(self._flights)
        self._flights.append(_Flight(run, self._sequence, loop.time()))
        self._messages += len(run.messages)
        self._size += run.size
        reply = f"{self.answers_to}.{number}"
        if len(run.messages) == 1:
            [message] = run.messages
            headers = {**message.headers, EXPECTED_LAST_SEQUENCE: str(before)}
            await self._client.publish(message.subject, message.data, reply, headers)
        else:
            await self._send_batch(run, before, reply)

    async def watch(self) -> None:
        """Return never; raise Stuck when a run failed or was not answered in time."""
        while True:
            self._check()
            pause = self._limits.answer_within
            if self._flights:
                age = asyncio.get_running_loop().time() - self._flights[0].sent_at
                pause = self._limits.answer_within - age
            if pause <= 0:
                raise Stuck(Reason.PUBLISH_UNANSWERED)
            await self._wait(pause)

    def interrupt(self) -> None:
        """Note that the connection is lost: what is in flight may have landed or not."""
        self._fail(Stuck(Reason.NATS_AWAY))

    async def watch_denials(self) -> None:
        """Return never; raise Stuck when the server denies to publish."""
        with self._client.denials.watch("careline.") as denied:
            raise Stuck(Reason.PERMISSION_DENIED, await denied)

    async def answered(self, message: Msg) -> None:
        """Take in an acknowledgement or refusal."""
        index = int(message.subject.rpartition(".")[2]) - self._first
        if not 0 <= index < len(self._flights):
            return
        flight = self._flights[index]
        failure = _failure(message, flight)
        if failure is not None:
            self._fail(failure)
            return
        flight.landed = True
        while self._flights and self._flights[0].landed:
            self._land(self._flights.popleft())
        self._changed.set()

    def _land(self, flight: _Flight) -> None:
        self._first += 1
        self.landed = flight.sequence
        self._messages -= len(flight.run.messages)
        self._size -= flight.run.size
        self._confirmed(flight.run)

    async def _send_batch(self, run: Run, before: int, reply: str) -> None:
        batch = str(uuid4())
        last = len(run.messages)
        for ordinal, message in enumerate(run.messages, start=1):
            headers = {**message.headers, _BATCH_ID: batch, _BATCH_SEQUENCE: str(ordinal)}
            if ordinal == 1:
                headers[EXPECTED_LAST_SEQUENCE] = str(before)
            if ordinal == last:
                headers[_BATCH_COMMIT] = "1"
            answer_to = reply if ordinal == last else ""
            await self._client.publish(message.subject, message.data, answer_to, headers)
            if ordinal % _YIELD_EVERY == 0:
                # A large batch must not keep the process from its other work.
                await asyncio.sleep(0)

    async def _until_room(self, run: Run) -> None:
        self._check()
        while self._flights and not self._has_room(run):
            await self._wait(self._limits.answer_within)
            self._check()

    def _has_room(self, run: Run) -> bool:
        return (
            self._messages + len(run.messages) <= self._limits.messages
            and self._size + run.size <= self._limits.size
        )

    async def _wait(self, seconds: float) -> None:
        self._changed.clear()
        try:
            async with asyncio.timeout(seconds):
                await self._changed.wait()
        except TimeoutError:
            return

    def _check(self) -> None:
        if self._failure is not None:
            raise self._failure

    def _fail(self, failure: Stuck) -> None:
        self._failure = self._failure or failure
        self._changed.set()


@asynccontextmanager
async def open_window(
    client: NatsClient,
    *,
    after_sequence: int,
    limits: WindowLimits,
    confirmed: Callable[[Run], None],
) -> AsyncIterator[Window]:
    """Open a window that listens for acknowledgements as long as the context lasts."""
    window = Window(client, after_sequence=after_sequence, limits=limits, confirmed=confirmed)
    answers = await client.subscribe(f"{window.answers_to}.*", cb=window.answered)
    try:
        with client.on_interruption(window.interrupt):
            yield window
    finally:
        if not client.is_closed:
            await answers.unsubscribe()


def _failure(message: Msg, flight: _Flight) -> Stuck | None:
    if (message.headers or {}).get("Status") == _NO_RESPONDERS:
        return Stuck(Reason.NOT_PROVISIONED)
    answer = json.loads(message.data)
    error = answer.get("error")
    if error is None:
        return None if answer["seq"] == flight.sequence else Stuck(Reason.SEQUENCE_MOVED)
    code = error.get("err_code")
    if code in (_WRONG_LAST_SEQUENCE, _DUPLICATE_IN_BATCH):
        return Stuck(Reason.SEQUENCE_MOVED, str(code))
    if code in _FULL:
        return Stuck(Reason.STREAM_FULL, str(code))
    return Stuck(Reason.PUBLISH_REFUSED, str(code))
