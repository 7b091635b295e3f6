"""A relay that runs beside a test, and waiting for it."""

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from dataclasses import dataclass

from integration.messaging.log_rig import LogRig
from messaging.connect import NatsClient
from messaging.relay import Relay, RelayOptions
from messaging.relay_status import RelayStatus
from messaging.replication import StreamReplication


@dataclass(frozen=True, slots=True)
class RelayRig:
    relay: Relay
    task: "asyncio.Task[None]"
    log_rig: LogRig
    _replication: StreamReplication

    async def caught_up(self, *, within: float = 30) -> None:
        """Return when the stream has acknowledged all that the log holds now."""
        head = await self.log_rig.log.head()
        async with asyncio.timeout(within):
            await self._replication.replicated(head.position)

    async def has_noted(self) -> None:
        """Return when the checkpoint says that the stream has all that the log holds now."""
        head = await self.log_rig.log.head()
        elsewhere = StreamReplication(self.log_rig.engine, self.log_rig.schema)
        async with asyncio.timeout(30):
            await elsewhere.replicated(head.position)

    async def shows(self, wanted: Callable[[RelayStatus], bool], *, within: float = 20) -> None:
        await eventually(lambda: wanted(self.relay.status()), within=within)

    async def sticks(self, reason: str) -> None:
        await self.shows(lambda status: (status.stuck or "").startswith(f"{reason}:"))


async def eventually(condition: Callable[[], bool], *, within: float = 20) -> None:
    """Return when a condition that nothing announces holds."""
    async with asyncio.timeout(within):
        while not condition():  # noqa: ASYNC110 - a status is polled, as monitoring does
            await asyncio.sleep(0.02)


@asynccontextmanager
async def relaying(
    log_rig: LogRig, client: NatsClient, options: RelayOptions | None = None
) -> AsyncIterator[RelayRig]:
    replication = StreamReplication(log_rig.engine, log_rig.schema)
    relay = Relay(
        log_rig.log,
        log_rig.engine,
        log_rig.schema,
        "conversations",
        client,
        replication=replication,
        options=options,
    )
    async with background(relay.run()) as task:
        yield RelayRig(relay, task, log_rig, replication)


@asynccontextmanager
async def background(
    work: Coroutine[None, None, None],
) -> AsyncIterator["asyncio.Task[None]"]:
    task = asyncio.create_task(work)
    try:
        yield task
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
