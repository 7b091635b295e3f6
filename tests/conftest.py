"""Fixtures that run the real servers: one of each for every pytest worker that asks for it."""

import os
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, ExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from uuid import uuid4

import hvac
import pytest
import requests
from embedded import NatsServer, NatsTrust, OpenBaoServer, PostgresServer, running
from messaging.accounts import AccountLimits, NatsOperator
from messaging.permissions import Permissions
from nats.aio.client import Client
from sqlalchemy import URL, make_url, text
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine
from worker_groups import pytest_xdist_make_scheduler

__all__ = ["pytest_xdist_make_scheduler"]  # a hook, which pytest finds here


@pytest.fixture(scope="session")
async def postgres(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[PostgresServer]:
    """Run this worker's PostgreSQL."""
    async with running(
        PostgresServer(tmp_path_factory.mktemp("postgres"), durable=False)
    ) as server:
        yield server


@dataclass(frozen=True, slots=True)
class Database:
    """A fresh database: its superuser's URL (driver asyncpg) and an engine on it."""

    name: str
    url: URL
    engine: AsyncEngine


CreateDatabase = Callable[[], AbstractAsyncContextManager[Database]]


@pytest.fixture(scope="session")
async def create_database(postgres: PostgresServer) -> AsyncIterator[CreateDatabase]:
    """Give a function that makes fresh databases: `async with create_database() as database`.

    Roles belong to the whole server: a test gives those it makes names of its own, or drops them.
    """
    administration = create_async_engine(superuser_url(postgres), isolation_level="AUTOCOMMIT")

    @asynccontextmanager
    async def create() -> AsyncIterator[Database]:
        name = f"test_{uuid4().hex}"
        async with administration.connect() as connection:
            await connection.execute(text(f"CREATE DATABASE {name}"))
        url = superuser_url(postgres, name)
        engine = create_async_engine(url)
        try:
            yield Database(name, url, engine)
        finally:
            await engine.dispose()
            async with administration.connect() as connection:
                await connection.execute(text(f"DROP DATABASE {name} WITH (FORCE)"))

    yield create
    await administration.dispose()


@pytest.fixture
async def database(create_database: CreateDatabase) -> AsyncIterator[Database]:
    """Give one test a fresh database; a module makes a fixture of its own of `create_database`."""
    async with create_database() as fresh:
        yield fresh


def superuser_url(server: PostgresServer, database: str = "postgres") -> URL:
    return make_url(server.dsn(database)).set(drivername="postgresql+asyncpg")


@dataclass(frozen=True, slots=True)
class OpenBao:
    """A running, initialised server: its address, its root token, and clients on it."""

    url: str
    root_token: str = field(repr=False)
    sessions: ExitStack

    def client(self, token: str | None = None) -> hvac.Client:
        """Make a client, root's unless a token is given; it is closed with the server."""
        session = self.sessions.enter_context(requests.Session())
        session.trust_env = False  # neither a proxy nor a .netrc of the machine
        return hvac.Client(self.url, token=token or self.root_token, session=session)


@pytest.fixture(scope="session")
async def openbao(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[OpenBao]:
    """Run this worker's OpenBao. Mounts and policies are shared: give yours their own names."""
    with ExitStack() as sessions:
        async with running(OpenBaoServer(tmp_path_factory.mktemp("openbao"))) as server:
            given = await server.initialize()
            yield OpenBao(server.url, given.root_token, sessions)


@dataclass(frozen=True, slots=True)
class Nats:
    """A running server, the operator whose accounts it knows (SYS and PLATFORM), and the
    credentials file of a user of PLATFORM who may do everything.
    """

    url: str
    operator: NatsOperator
    credentials: Path

    async def connect(self, credentials: Path | None = None) -> Client:
        """Connect a client, which the caller closes."""
        client = Client()
        await client.connect(self.url, user_credentials=str(credentials or self.credentials))
        return client


@pytest.fixture(scope="session")
async def nats(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Nats]:
    """Run this worker's NATS. Streams of PLATFORM are shared: give yours their own names."""
    folder = tmp_path_factory.mktemp("nats")
    operator = NatsOperator.generate()
    everything = Permissions(publish=(">",), subscribe=(">",))
    credentials = folder / "everything.creds"
    credentials.write_text(operator.platform.credentials("tests", everything).text)
    server = NatsServer(folder / "server", trust_in(operator), sync_always=False)
    async with running(server):
        yield Nats(server.url, operator, credentials)


def trust_in(operator: NatsOperator) -> NatsTrust:
    accounts = {
        operator.system.public: operator.account_jwt(operator.system, limits=AccountLimits()),
        operator.platform.public: operator.platform_jwt(),
    }
    return NatsTrust(operator.operator_jwt(), operator.system.public, accounts)


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """Find the data that tests read from beside the repository; in CI it must be there."""
    folder = Path(__file__).resolve().parents[2] / "shared" / "data"
    if folder.is_dir():
        return folder
    reason = "no ../shared/data beside the repository, which this test reads"
    if os.environ.get("CI") == "true":
        pytest.fail(reason)
    pytest.skip(reason)
