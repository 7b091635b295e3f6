"""One run of a server: started on its locked data directory, awaited, stopped."""

import asyncio
import os
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Self, TypeVar

from embedded.data_dir import full_disk_said_so, lock_data_dir, require_space
from embedded.errors import NotReady, ServerDied
from embedded.private_files import open_log
from embedded.server import Progress, Server, silent

START_SECONDS = 60.0
STOP_SECONDS = 30.0

AnyServer = TypeVar("AnyServer", bound=Server)


class ServerProcess:
    """A server's process. It ends with the thread that started it, so start it where the loop runs
    as long as the program does.
    """

    def __init__(self, server: Server, process: asyncio.subprocess.Process) -> None:
        self._server = server
        self._process = process

    @classmethod
    async def start(cls, server: Server, progress: Progress = silent) -> Self:
        """Prepare the data directory and start the process; `ready` says when it serves."""
        lock = await lock_data_dir(server.name, server.data_dir)
        try:
            with full_disk_said_so(server.name, server.data_dir):
                require_space(server.name, server.data_dir)
                await asyncio.to_thread(server.prepare, progress)
                return cls(server, await spawn(server, lock))
        finally:
            # From here on the server's own copy holds the lock.
            os.close(lock)

    @property
    def pid(self) -> int:
        return self._process.pid

    async def ready(self, *, within: float = START_SECONDS) -> None:
        """Return once it serves. Raises ServerDied, or NotReady after `within` seconds."""
        waiting = asyncio.ensure_future(self._server.wait_ready())
        ending = asyncio.ensure_future(self._process.wait())
        try:
            await asyncio.wait(
                (waiting, ending), timeout=within, return_when=asyncio.FIRST_COMPLETED
            )
            if ending.done():
                require_space(self._server.name, self._server.data_dir)
                raise ServerDied(self._server.name, ending.result(), self._server.log_file)
            if not waiting.done():
                raise NotReady(self._server.name, within, self._server.log_file)
            waiting.result()
        finally:
            waiting.cancel()
            ending.cancel()
            await asyncio.gather(waiting, ending, return_exceptions=True)

    async def ended(self) -> int:
        """Return the exit status once the process has ended; negative for a signal."""
        code = await self._process.wait()
        self._server.release()
        return code

    async def stop(self, *, grace: float = STOP_SECONDS) -> int:
        """Ask it to stop, kill it after `grace` seconds; returns its exit status."""
        self._signal(self._server.stop_signal)
        try:
            async with asyncio.timeout(grace):
                return await self.ended()
        except TimeoutError:
            self._signal(signal.SIGKILL)
            return await self.ended()

    def _signal(self, number: signal.Signals) -> None:
        if self._process.returncode is None:
            self._process.send_signal(number)


async def spawn(server: Server, lock: int) -> asyncio.subprocess.Process:
    command = server.command()
    log = open_log(server.log_file)
    try:
        return await asyncio.create_subprocess_exec(
            *command.argv,
            env=dict(command.env),
            cwd=command.cwd,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            pass_fds=(lock,),
            # Its own session: a Ctrl-C at the terminal is for the supervisor to hear.
            start_new_session=True,
        )
    finally:
        os.close(log)


@asynccontextmanager
async def running(server: AnyServer, progress: Progress = silent) -> AsyncIterator[AnyServer]:
    """Run the server, ready on entry, for as long as the context lasts."""
    process = await ServerProcess.start(server, progress)
    try:
        await process.ready()
        yield server
    finally:
        await process.stop()
