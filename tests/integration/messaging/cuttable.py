"""A network between a client and its server that a test may cut: by ends, or by silence."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, closing, suppress

from embedded.local_ports import HOST

Streams = tuple[asyncio.StreamReader, asyncio.StreamWriter]
_CHUNK = 1 << 16


class Cuttable:
    """Passes bytes on to whatever `connect` opens, until it is cut; `mend` makes it well again."""

    def __init__(self, connect: Callable[[], Awaitable[Streams]]) -> None:
        self._connect = connect
        self._passes = asyncio.Event()
        self._passes.set()
        self._is_cut = False
        self._writers: set[asyncio.StreamWriter] = set()

    def cut(self) -> None:
        """End all connections and let no new one through."""
        self._is_cut = True
        self._drop()

    def fall_silent(self) -> None:
        """Take bytes and pass none on, as a network does whose cable is out."""
        self._passes.clear()

    def mend(self) -> None:
        """Let new connections through; those of before have ended, as bytes of theirs are lost."""
        self._drop()
        self._is_cut = False
        self._passes.set()

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Carry one connection until either end is gone."""
        self._writers.add(writer)
        if self._is_cut:
            writer.transport.abort()
            return
        server_reader, server_writer = await self._connect()
        self._writers.add(server_writer)
        await asyncio.gather(
            self._pass_on(reader, server_writer), self._pass_on(server_reader, writer)
        )

    async def _pass_on(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        # That the other side is gone is what a network tells of it.
        with closing(writer), suppress(OSError):
            while chunk := await reader.read(_CHUNK):
                await self._passes.wait()
                writer.write(chunk)
                await writer.drain()

    def _drop(self) -> None:
        for writer in self._writers:
            writer.transport.abort()
        self._writers.clear()


@asynccontextmanager
async def cuttable(
    connect: Callable[[], Awaitable[Streams]],
) -> AsyncIterator[tuple[Cuttable, int]]:
    """Serve a network on a port of its own; gives both."""
    network = Cuttable(connect)
    server = await asyncio.start_server(network.serve, HOST, 0)
    try:
        yield network, server.sockets[0].getsockname()[1]
    finally:
        network.cut()
        network.mend()
        server.close()
