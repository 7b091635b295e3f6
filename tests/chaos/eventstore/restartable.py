"""A PostgreSQL of a test's own that is stopped without a checkpoint and started again."""

import os
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from embedded.postgres import PostgresServer
from embedded.process import ServerProcess
from sqlalchemy import URL, make_url


class Restartable:
    """`restart` is PostgreSQL's immediate shutdown: what a crash of the server leaves."""

    def __init__(self, folder: Path) -> None:
        self._server = PostgresServer(folder)
        self._process: ServerProcess | None = None

    @property
    def url(self) -> URL:
        return make_url(self._server.dsn()).set(drivername="postgresql+asyncpg")

    async def start(self) -> None:
        self._process = await ServerProcess.start(self._server)
        await self._process.ready()

    async def restart(self) -> None:
        await self._stop_at_once()
        await self.start()

    async def stop(self) -> None:
        if self._process is not None:
            await self._process.stop()

    async def _stop_at_once(self) -> None:
        assert self._process is not None
        os.kill(self._process.pid, signal.SIGQUIT)
        await self._process.ended()


@asynccontextmanager
async def restartable(folder: Path) -> AsyncIterator[Restartable]:
    server = Restartable(folder)
    await server.start()
    try:
        yield server
    finally:
        await server.stop()
