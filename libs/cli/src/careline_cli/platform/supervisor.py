"""Keeps children running: one that ends by itself is started again, with back-off, and said so."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from enum import StrEnum

from embedded import EmbeddedServerError, Server, ServerProcess

FIRST_DELAY_SECONDS = 0.2
LONGEST_DELAY_SECONDS = 15.0
# A child that served this long is taken to be well again: its next failure starts from no delay.
WELL_SECONDS = 60.0
STOP_SECONDS = 20.0


class ChildState(StrEnum):
    STARTING = "starting"
    READY = "ready"
    RESTARTING = "restarting"
    STOPPED = "stopped"


@dataclass(slots=True)
class Child:
    """One supervised process; `ready` is set while it serves."""

    server: Server
    state: ChildState = ChildState.STARTING
    restarts: int = 0
    process: ServerProcess | None = None
    ready: asyncio.Event = field(default_factory=asyncio.Event)


class Supervisor:
    """Starts children, keeps them running, and stops them in reverse order."""

    def __init__(self, say: Callable[[str], None]) -> None:
        self._say = say
        self._batches: list[list[Child]] = []
        self._keepers: dict[str, asyncio.Task[None]] = {}

    @property
    def children(self) -> tuple[Child, ...]:
        return tuple(child for batch in self._batches for child in batch)

    async def start(self, *servers: Server) -> None:
        """Start these side by side and wait until all serve.

        Raises an ExceptionGroup of EmbeddedServerErrors: a child that has never served is not tried
        again.
        """
        started = [Child(server) for server in servers]
        self._batches.append(started)
        async with asyncio.TaskGroup() as group:
            for child in started:
                group.create_task(self._start(child))
        for child in started:
            self._keepers[child.server.name] = asyncio.create_task(self._keep(child))

    async def stop(self) -> None:
        """Stop everything, what was started last first."""
        while self._batches:
            await asyncio.gather(*(self._stop(child) for child in self._batches.pop()))

    async def _stop(self, child: Child) -> None:
        keeper = self._keepers.pop(child.server.name, None)
        if keeper is not None:
            keeper.cancel()
            await asyncio.gather(keeper, return_exceptions=True)
        if child.process is not None:
            await child.process.stop(grace=STOP_SECONDS)
        child.ready.clear()
        child.state = ChildState.STOPPED

    async def _start(self, child: Child) -> None:
        child.process = None
        child.process = await ServerProcess.start(child.server, self._progress(child))
        await child.process.ready()
        self._serves(child)

    async def _keep(self, child: Child) -> None:
        delay = FIRST_DELAY_SECONDS
        while True:
            began = asyncio.get_running_loop().time()
            code = await self._ended(child)
            child.ready.clear()
            child.state = ChildState.RESTARTING
            child.restarts += 1
            if asyncio.get_running_loop().time() - began > WELL_SECONDS:
                delay = FIRST_DELAY_SECONDS
            self._say(f"{child.server.name} {_how(code)}; starting it again in {delay:.1f} s")
            await asyncio.sleep(delay)
            delay = min(delay * 2, LONGEST_DELAY_SECONDS)
            try:
                await self._start(child)
            except EmbeddedServerError as error:
                self._say(str(error))
            else:
                self._say(f"{child.server.name} serves again")

    async def _ended(self, child: Child) -> int | None:
        if child.process is None:
            return None
        if child.state is not ChildState.READY:
            await child.process.stop(grace=STOP_SECONDS)
        return await child.process.ended()

    def _serves(self, child: Child) -> None:
        child.state = ChildState.READY
        child.ready.set()

    def _progress(self, child: Child) -> Callable[[str], None]:
        return lambda step: self._say(f"{child.server.name}: {step}")


def _how(code: int | None) -> str:
    if code is None:
        return "did not start"
    return f"was killed by signal {-code}" if code < 0 else f"ended with status {code}"


@contextlib.asynccontextmanager
async def supervising(say: Callable[[str], None]) -> AsyncIterator[Supervisor]:
    """Give a supervisor whose children are stopped when the context ends, however it ends."""
    supervisor = Supervisor(say)
    try:
        yield supervisor
    finally:
        await supervisor.stop()
