"""The embedded PostgreSQL that everything is measured on, durable as a platform's is."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import eventstore.postgres.migrate
import messaging.migrate
from embedded import PostgresServer, running
from eventstore.postgres import PostgresEventLog
from sqlalchemy import URL, make_url, text
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

RUNTIME: Final = "bench_runtime"

_OWNER = "bench_owner"
_POOL = 12


@dataclass(frozen=True, slots=True)
class Database:
    """`admin` is the superuser; services' logs are reached with the rights that services have."""

    url: URL
    admin: AsyncEngine

    @asynccontextmanager
    async def engine(self) -> AsyncIterator[AsyncEngine]:
        """Open an engine that has the runtime role."""
        engine = service_engine(self.url)
        try:
            yield engine
        finally:
            await engine.dispose()

    @asynccontextmanager
    async def log(self, schema: str) -> AsyncIterator[PostgresEventLog]:
        """Make a log in a schema of its own, if it is not there, and open it."""
        roles = {"owner_role": _OWNER, "runtime_role": RUNTIME}
        await eventstore.postgres.migrate.migrate(self.admin, schema, **roles)
        await messaging.migrate.migrate(self.admin, schema, **roles)
        async with self.engine() as engine, PostgresEventLog(engine, schema) as log:
            yield log

    async def execute(self, *statements: str) -> None:
        """Run statements with all rights, each in its own transaction."""
        async with self.admin.connect() as connection:
            autocommit = await connection.execution_options(isolation_level="AUTOCOMMIT")
            for statement in statements:
                await autocommit.execute(text(statement))

    async def settle(self) -> None:
        """Have what was written so far on disk, so that nobody's turn pays for another's."""
        await self.execute("checkpoint")

    async def settings(self) -> dict[str, str]:
        """Read what the server makes of durability."""
        names = ("server_version", "fsync", "synchronous_commit", "full_page_writes")
        async with self.admin.connect() as connection:
            return {
                name: str(await connection.scalar(text(f"select current_setting('{name}')")))
                for name in names
            }


def service_engine(url: URL) -> AsyncEngine:
    return create_async_engine(
        url, pool_size=_POOL, connect_args={"server_settings": {"role": RUNTIME}}
    )


@asynccontextmanager
async def database(folder: Path) -> AsyncIterator[Database]:
    """Run a server of its own below `folder`."""
    async with running(PostgresServer(folder / "postgres")) as server:
        url = make_url(server.dsn()).set(drivername="postgresql+asyncpg")
        admin = create_async_engine(url)
        try:
            async with admin.begin() as connection:
                for role in (_OWNER, RUNTIME):
                    await connection.execute(text(f"create role {role} nologin"))
            yield Database(url, admin)
        finally:
            await admin.dispose()
