"""At most one of a kind over all processes: an advisory lock on a connection of its own."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from hashlib import sha256
from typing import Any

from eventstore.postgres.server_errors import SERVER_ERRORS
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from messaging.statements import load_statements

_STATEMENT_SECONDS = 3.0
_BEAT_SECONDS = 1.0


class LeaseLost(Exception):
    """The connection that held the lock is gone, or does not answer: somebody else may hold it."""


class Lease:
    """Held as long as its connection lives; what only its holder may write goes through it."""

    def __init__(self, connection: AsyncConnection, schema: str, name: str) -> None:
        self._connection = connection
        self._statements = load_statements(schema)
        self._key = _key(f"{schema}/{name}")
        self._one_at_a_time = asyncio.Lock()
        self._gone = asyncio.Event()
        self._driver: Any = None

    async def enter(self) -> None:
        self._driver = (await self._connection.get_raw_connection()).driver_connection
        self._driver.add_termination_listener(self._note_end)
        await self.fetch("enter_lease")

    async def try_take(self) -> bool:
        [row] = await self.fetch("try_lease", *self._key)
        return bool(row["held"])

    async def fetch(self, statement: str, *arguments: object) -> list[Any]:
        """Run a statement of `sql/` by name and return its rows. Raises LeaseLost."""
        async with self._one_at_a_time:
            try:
                rows: list[Any] = await self._driver.fetch(
                    self._statements[statement], *arguments, timeout=_STATEMENT_SECONDS
                )
            except SERVER_ERRORS as error:
                raise LeaseLost(f"lost the lock's connection: {type(error).__name__}") from error
        return rows

    async def watch(self) -> None:
        """Return never; raise LeaseLost at once when the connection ends, soon when it hangs."""
        while True:
            try:
                async with asyncio.timeout(_BEAT_SECONDS):
                    await self._gone.wait()
                raise LeaseLost("the lock's connection was ended")
            except TimeoutError:
                await self.fetch("enter_lease")

    async def drop(self) -> None:
        """End the connection, and with it the lock."""
        if self._driver is not None:
            self._driver.remove_termination_listener(self._note_end)
            self._driver.terminate()
        await asyncio.shield(self._forget())

    async def _forget(self) -> None:
        await self._connection.invalidate()
        await self._connection.close()

    def _note_end(self, _connection: object) -> None:
        self._gone.set()


@asynccontextmanager
async def open_lease(engine: AsyncEngine, schema: str, name: str) -> AsyncIterator[Lease]:
    """Open the connection for a lease; `try_take` takes the lock. Raises LeaseLost."""
    try:
        async with asyncio.timeout(_STATEMENT_SECONDS):
            connection = await engine.connect()
    except (*SERVER_ERRORS, SQLAlchemyError) as error:
        raise LeaseLost(f"no connection for the lock: {type(error).__name__}") from error
    lease = Lease(connection, schema, name)
    try:
        await lease.enter()
        yield lease
    finally:
        await lease.drop()


def _key(name: str) -> tuple[int, int]:
    digest = sha256(f"careline/lease/{name}".encode()).digest()
    return (
        int.from_bytes(digest[:4], "big", signed=True),
        int.from_bytes(digest[4:8], "big", signed=True),
    )
