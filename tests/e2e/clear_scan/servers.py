"""The servers of a data directory: those that run on it, or started for a look at what is there."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

from careline_cli.platform.data_directory import DataDirectory
from careline_cli.platform.supervisor import supervising
from careline_cli.platform.vault_access import VaultAccess
from careline_cli.provision.nats import kept_operator
from conftest import trust_in
from e2e.clear_scan.jetstream_messages import jetstream_messages
from e2e.clear_scan.piece import Piece
from e2e.clear_scan.postgres_rows import postgres_rows
from e2e.clear_scan.vault_secrets import vault_secrets
from embedded import NatsServer, OpenBaoServer, PostgresServer
from messaging.accounts import NatsOperator


@dataclass(frozen=True, slots=True)
class Servers:
    """The servers of one data directory, as long as they run."""

    data: DataDirectory
    postgres: PostgresServer
    keyring: PostgresServer
    vault: OpenBaoServer

    @classmethod
    def of(cls, data: DataDirectory) -> "Servers":
        return cls(
            data,
            PostgresServer(data.root / "postgres"),
            PostgresServer(data.root / "keyring", name="keyring"),
            OpenBaoServer(data.root / "openbao"),
        )

    def nats(self, operator: NatsOperator) -> NatsServer:
        return NatsServer(self.data.root / "nats", trust_in(operator))

    async def operator(self) -> NatsOperator:
        """Take up NATS's operator, who makes any credential."""
        vault = await asyncio.to_thread(VaultAccess(self.vault, self.data).provisioner)
        operator = await asyncio.to_thread(kept_operator, vault)
        await asyncio.to_thread(vault.revoke_own_token)
        return operator

    async def decoded(self) -> AsyncIterator[Piece]:
        """Give every row, message and secret that the servers hold."""
        for server in (self.postgres, self.keyring):
            async for piece in postgres_rows(server):
                yield piece
        operator = await self.operator()
        nats = self.nats(operator)
        async for piece in jetstream_messages(nats.url, operator, nats.data_dir):
            yield piece
        for piece in await asyncio.to_thread(list, vault_secrets(self.vault.url, self.data)):
            yield piece


@asynccontextmanager
async def started(data: DataDirectory) -> AsyncIterator[Servers]:
    """Run the servers alone on a stopped platform's data, as they were left."""
    async with supervising(lambda _: None) as supervisor:
        servers = Servers.of(data)
        await supervisor.start(servers.postgres, servers.keyring, servers.vault)
        await supervisor.start(servers.nats(await servers.operator()))
        yield servers
