"""Reaches log and stream of a service with no more rights than the work at hand needs.

The provisioner alone may read streams. As such the command makes itself a user of NATS that exists
for this one run, may read one stream, and only to rebuild it also delete, make and fill that one.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import Final
from uuid import uuid4

from embedded import PostgresServer
from eventstore.postgres import PostgresEventLog
from messaging.accounts import NatsOperator
from messaging.connect import NatsClient, connect
from messaging.names import Consumption
from messaging.permissions import rebuilder_permissions, verifier_permissions
from messaging.stream_upkeep import Upkeep
from sqlalchemy import make_url
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

from careline_cli.platform.data_directory import Addresses, DataDirectory
from careline_cli.platform.provisioner import provisioner
from careline_cli.provision.nats import kept_operator
from careline_cli.provision.provisioned import PLATFORM_DATABASE, consumptions

LIFETIME: Final = timedelta(hours=12)
"""The server ends the run's user by then, whatever becomes of the run."""


class StreamAccess:
    """Opens one service's log and stream after another."""

    def __init__(self, database: PostgresServer, nats: str, operator: NatsOperator) -> None:
        self._database = database
        self._nats = nats
        self._operator = operator
        self._consumptions = consumptions()

    @asynccontextmanager
    async def to_verify(self, service: str) -> AsyncIterator[Upkeep]:
        """Open them for reading only."""
        async with self._opened(service, rebuilds=False) as upkeep:
            yield upkeep

    @asynccontextmanager
    async def to_rebuild(self, service: str) -> AsyncIterator[Upkeep]:
        """Open them so that the stream can be made anew."""
        async with self._opened(service, rebuilds=True) as upkeep:
            yield upkeep

    @asynccontextmanager
    async def to_read(self, service: str) -> AsyncIterator[tuple[NatsClient, Consumption]]:
        """Open the stream alone, for reading, by the consumer that is given with it."""
        async with self._connected(service, rebuilds=False) as (client, reading):
            yield client, reading

    @asynccontextmanager
    async def _opened(self, service: str, *, rebuilds: bool) -> AsyncIterator[Upkeep]:
        async with AsyncExitStack() as stack:
            engine = self._engine(stack, f"{service}_runtime", writes=rebuilds)
            owner = self._engine(stack, f"{service}_owner", writes=True) if rebuilds else None
            log = await stack.enter_async_context(PostgresEventLog(engine, service))
            client, reading = await stack.enter_async_context(
                self._connected(service, rebuilds=rebuilds)
            )
            followers = self._followers(service)
            yield Upkeep(log, engine, service, client, reading, followers, owner)

    @asynccontextmanager
    async def _connected(
        self, service: str, *, rebuilds: bool
    ) -> AsyncIterator[tuple[NatsClient, Consumption]]:
        run = uuid4().hex[:8]
        reading = Consumption("streams", service, f"run_{run}")
        user = f"streams-{run}"
        permissions = (
            rebuilder_permissions(user, reading, self._followers(service))
            if rebuilds
            else verifier_permissions(user, reading)
        )
        credentials = self._operator.platform.credentials(
            user, permissions, expires=datetime.now(UTC) + LIFETIME
        )
        async with await connect([self._nats], user=user, creds=credentials.text) as client:
            yield client, reading

    def _followers(self, service: str) -> tuple[Consumption, ...]:
        return tuple(one for one in self._consumptions if one.source == service)

    def _engine(self, stack: AsyncExitStack, role: str, *, writes: bool) -> AsyncEngine:
        """Make an engine with the rights of a role; without `writes` it only reads."""
        url = make_url(self._database.dsn(PLATFORM_DATABASE)).set(drivername="postgresql+asyncpg")
        settings = {"role": role, "default_transaction_read_only": "off" if writes else "on"}
        engine = create_async_engine(url, connect_args={"server_settings": settings})
        stack.push_async_callback(engine.dispose)
        return engine


async def stream_access(data: DataDirectory) -> StreamAccess:
    """Sign in as the provisioner, for as long as it takes to read NATS's operator.

    Raises DataDirectoryError when that is not possible.
    """
    addresses = data.addresses()
    operator = await asyncio.to_thread(_operator, data, addresses)
    return StreamAccess(PostgresServer(data.root / "postgres"), addresses.nats, operator)


def _operator(data: DataDirectory, addresses: Addresses) -> NatsOperator:
    with provisioner(data, addresses.vault) as vault:
        return kept_operator(vault)
