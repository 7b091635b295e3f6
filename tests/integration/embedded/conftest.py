"""Servers that a test starts, kills and starts again."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack
from pathlib import Path

import pytest
from conftest import trust_in
from embedded import NatsServer, OpenBaoServer, PostgresServer, Server, ServerProcess
from messaging.accounts import NatsOperator

StartServer = Callable[[Server], Awaitable[ServerProcess]]
MakeServer = Callable[[Path], Server]


@pytest.fixture
async def start() -> AsyncIterator[StartServer]:
    """Give a function that starts a server and returns when it serves; the test's end stops it."""
    async with AsyncExitStack() as started:

        async def start_server(server: Server) -> ServerProcess:
            process = await ServerProcess.start(server)
            started.push_async_callback(process.stop)
            await process.ready()
            return process

        yield start_server


@pytest.fixture(params=["postgres", "nats", "openbao"])
def make_server(request: pytest.FixtureRequest) -> MakeServer:
    """Give each kind of server in turn, by its data directory."""
    trust = trust_in(NatsOperator.generate())
    kinds: dict[str, MakeServer] = {
        "postgres": lambda folder: PostgresServer(folder, durable=False),
        "nats": lambda folder: NatsServer(folder, trust),
        "openbao": OpenBaoServer,
    }
    return kinds[str(request.param)]
