"""Publishes a service's log to its stream: every event once, in order, by one relay at a time.

What makes it so is the stream's own end, read at every start, and the expected sequence of every
message (`window`). The lock only spares two relays from contending, and the checkpoint tells others
how far the stream is; neither is needed for correctness.
"""

import asyncio
import logging
from collections.abc import Callable, Sequence
from contextlib import AbstractAsyncContextManager, nullcontext, suppress
from dataclasses import dataclass, field

from eventstore.backoff import Backoff
from eventstore.errors import EventLogError
from eventstore.event import RecordedEvent
from eventstore.event_log import EventLog
from nats.errors import TimeoutError as NatsTimeout
from sqlalchemy.ext.asyncio import AsyncEngine

from messaging.connect import ConnectionClosed, Interrupted, NatsClient
from messaging.failures import stuck_by
from messaging.first_failure import until_one_fails
from messaging.lease import Lease, open_lease
from messaging.outgoing import Run, RunLimits, outgoing, runs
from messaging.relay_status import RelayProgress, RelayStatus
from messaging.replication import StreamReplication
from messaging.stream_tail import StreamTail, read_tail, require_same, resume_after
from messaging.stuck import Reason, Stuck
from messaging.window import Window, WindowLimits, open_window

Around = Callable[[Sequence[RecordedEvent]], AbstractAsyncContextManager[None]]

_log = logging.getLogger(__name__)

_LOOK_SECONDS = 1.0


@dataclass(frozen=True, slots=True)
class RelayOptions:
    """`runs` bounds what is published at once, `window` what is in flight.

    Seconds: `campaign_every` between two tries to become the relay, `checkpoint_every` at least
    between two writes of the checkpoint, `look_every` between two looks whether the stream still
    holds what it acknowledged.
    """

    runs: RunLimits = field(default_factory=RunLimits)
    window: WindowLimits = field(default_factory=WindowLimits)
    backoff: Backoff = field(default_factory=Backoff)
    campaign_every: float = 0.5
    checkpoint_every: float = 0.05
    look_every: float = 1.0


class Relay:
    """`run` publishes without end; whatever fails is shown by `status` and tried again.

    `schema` holds the log's and messaging's tables. `replication`, if given, is told what the
    stream acknowledged. `around` is entered around the sending of each run of events.
    """

    def __init__(
        self,
        log: EventLog,
        engine: AsyncEngine,
        schema: str,
        service: str,
        client: NatsClient,
        *,
        replication: StreamReplication | None = None,
        around: Around | None = None,
        options: RelayOptions | None = None,
    ) -> None:
        self._log = log
        self._engine = engine
        self._schema = schema
        self._service = service
        self._client = client
        self._replication = replication
        self._around = around or _nothing_around
        self._options = options or RelayOptions()
        self._progress = RelayProgress(service)
        self._moved = asyncio.Event()
        self._failures = 0

    def status(self) -> RelayStatus:
        return self._progress.status()

    async def run(self) -> None:
        """Publish until cancelled. Raises ConnectionClosed when NATS has ended the connection."""
        while True:
            try:
                async with open_lease(self._engine, self._schema, "relay") as lease:
                    await self._campaign(lease)
                    self._progress.leading = True
                    await until_one_fails(lease.watch(), self._lead(lease))
            except ConnectionClosed:
                raise
            # Whatever it is shows in the status and is tried again.
            except Exception as error:  # noqa: BLE001
                await self._hold(error)
            finally:
                self._progress.leading = False

    async def _campaign(self, lease: Lease) -> None:
        """Return once this process holds the lock; meanwhile look how far the one who does is."""
        while not await lease.try_take():
            self._failures = 0
            position = await _checkpoint(lease)
            self._progress.resumes(position, (await self._log.head()).position)
            self._progress.stuck = None
            await asyncio.sleep(self._options.campaign_every)

    async def _lead(self, lease: Lease) -> None:
        """Publish, and start again from the stream's end whenever something failed."""
        while True:
            await self._until_connected()
            try:
                await self._publish(lease)
            # A lost lease ends this from outside; all else is tried again with it.
            except Exception as error:  # noqa: BLE001
                await self._hold(error)

    async def _publish(self, lease: Lease) -> None:
        """Publish what comes after the stream's end, until something fails."""
        tail = await read_tail(self._client.jetstream(), self._service)
        head = await self._log.head()
        start = resume_after(tail, await _checkpoint(lease), head)
        self._progress.resumes(start.position, head.position)
        self._confirm(start.position)
        async with open_window(
            self._client,
            after_sequence=start.sequence,
            limits=self._options.window,
            confirmed=self._landed,
        ) as window:
            limits = self._options.runs if tail.config.allow_atomic else RunLimits(messages=1)
            await until_one_fails(
                window.watch(),
                window.watch_denials(),
                self._follow(window, start.position, head.epoch, limits),
                self._keep_checkpoint(lease, head.epoch),
                self._watch_stream(window, tail),
            )

    async def _follow(self, window: Window, after: int, epoch: int, limits: RunLimits) -> None:
        max_bytes = self._client.max_payload
        async for page in self._log.subscribe(after=after):
            if page.head.epoch != epoch:
                raise Stuck(Reason.OTHER_EPOCH)
            self._progress.saw_head(page.head.position)
            messages = (
                outgoing(self._service, epoch, event, max_bytes=max_bytes) for event in page.events
            )
            for run in runs(messages, limits):
                async with self._around(run.events):
                    self._progress.sends(run)
                    await window.send(run)

    async def _watch_stream(self, window: Window, tail: StreamTail) -> None:
        """Return never; raise Stuck when the stream lost what it had acknowledged."""
        while True:
            await asyncio.sleep(self._options.look_every)
            landed = window.landed
            # Whether the server is there at all is the window's to notice.
            with suppress(NatsTimeout, Interrupted):
                await require_same(self._client.jetstream(), self._service, tail, landed)

    def _landed(self, run: Run) -> None:
        self._failures = 0
        self._progress.confirmed(run)
        self._moved.set()
        self._confirm(run.position)

    def _confirm(self, position: int) -> None:
        if self._replication is not None:
            self._replication.confirm(position)

    async def _keep_checkpoint(self, lease: Lease, epoch: int) -> None:
        """Write how far the stream is, through the lock's own connection."""
        written = -1
        while True:
            self._moved.clear()
            position = self._progress.position
            if position != written:
                await lease.fetch("write_relay_checkpoint", epoch, position)
                written = position
                await asyncio.sleep(self._options.checkpoint_every)
            if self._progress.position == written:
                await self._moved.wait()

    async def _until_connected(self) -> None:
        """Return when there is a connection; meanwhile see how the log gets ahead."""
        while not self._client.is_connected:
            self._progress.stuck = Stuck(Reason.NATS_AWAY)
            await self._look_at_head()
            with suppress(TimeoutError):
                async with asyncio.timeout(_LOOK_SECONDS):
                    await self._client.wait_connected()

    async def _hold(self, error: Exception) -> None:
        """Say that it is stuck and why, and wait before the next try."""
        stuck = stuck_by(error)
        self._failures += 1
        pause = self._options.backoff.after(self._failures)
        self._progress.stuck = stuck
        _log.warning("relay is stuck, next try in %.1f s", pause, extra=stuck.log_fields)
        await self._look_at_head()
        await asyncio.sleep(pause)

    async def _look_at_head(self) -> None:
        # A log that cannot tell is what the relay is stuck by already, or will be.
        with suppress(EventLogError, TimeoutError):
            async with asyncio.timeout(_LOOK_SECONDS):
                self._progress.saw_head((await self._log.head()).position)


async def _checkpoint(lease: Lease) -> int:
    rows = await lease.fetch("read_relay_checkpoint")
    return int(rows[0]["position"]) if rows else 0


def _nothing_around(_events: Sequence[RecordedEvent]) -> AbstractAsyncContextManager[None]:
    return nullcontext()
