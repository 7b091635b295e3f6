"""Logs to test with: a database with the roles a service has, and a fresh schema for each test."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from itertools import count
from uuid import uuid4

from conftest import CreateDatabase
from eventstore.postgres.build_owner import OwnedSchema
from eventstore.postgres.migrate import migrate
from sqlalchemy import URL, text
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine


@dataclass(frozen=True, slots=True)
class LogSchema:
    """One log: `engine` and `rival_engine` have the runtime role, `superuser` all rights."""

    name: str
    engine: AsyncEngine
    rival_engine: AsyncEngine
    superuser: AsyncEngine
    owner_role: str
    runtime_role: str

    @property
    def owned(self) -> OwnedSchema:
        return OwnedSchema(self.superuser, self.name, self.owner_role, self.runtime_role)

    async def alter(self, statement: str) -> None:
        """Run a statement with all rights; `{schema}` and `{runtime_role}` stand for the names."""
        filled = statement.format(schema=self.name, runtime_role=self.runtime_role)
        async with self.superuser.begin() as connection:
            await connection.execute(text(filled))

    async def end_connections(self) -> None:
        """End all connections of the login that the engines use."""
        async with self.superuser.begin() as connection:
            await connection.execute(
                text(
                    "select pg_terminate_backend(pid) from pg_stat_activity where usename = :login"
                ),
                {"login": self.engine.url.username},
            )


class LogDatabase:
    """A database with an owner and a runtime role, and one login that has the latter."""

    def __init__(self, superuser: AsyncEngine, name: str) -> None:
        self.superuser = superuser
        self.owner_role = f"{name}_owner"
        self.runtime_role = f"{name}_runtime"
        self._login = f"{name}_login"
        self._password = uuid4().hex
        self._schemas = (f"log_{number}" for number in count(1))

    @property
    def login_url(self) -> URL:
        return self.superuser.url.set(username=self._login, password=self._password)

    async def create_roles(self) -> None:
        async with self.superuser.begin() as connection:
            for role in (self.owner_role, self.runtime_role):
                await connection.execute(text(f"create role {role} nologin"))
            # Builds of projections are schemas of their own.
            await connection.execute(
                text(
                    f'grant create on database "{self.superuser.url.database}" to {self.owner_role}'
                )
            )
            await connection.execute(
                text(
                    f"create role {self._login} login password '{self._password}'"
                    f" in role {self.runtime_role}"
                )
            )

    async def drop_roles(self) -> None:
        async with self.superuser.begin() as connection:
            for role in (self._login, self.owner_role, self.runtime_role):
                await connection.execute(text(f"drop owned by {role} cascade"))
                await connection.execute(text(f"drop role {role}"))

    @asynccontextmanager
    async def schema(self) -> AsyncIterator[LogSchema]:
        name = next(self._schemas)
        await self.migrate(name)
        async with AsyncExitStack() as stack:
            one, two = (create_async_engine(self.login_url) for _ in range(2))
            for engine in (one, two):
                stack.push_async_callback(engine.dispose)
            yield LogSchema(name, one, two, self.superuser, self.owner_role, self.runtime_role)

    async def migrate(self, schema: str) -> None:
        await migrate(
            self.superuser, schema, owner_role=self.owner_role, runtime_role=self.runtime_role
        )


@asynccontextmanager
async def log_database(create_database: CreateDatabase) -> AsyncIterator[LogDatabase]:
    async with create_database() as fresh:
        database = LogDatabase(fresh.engine, fresh.name)
        await database.create_roles()
        try:
            yield database
        finally:
            await database.drop_roles()
