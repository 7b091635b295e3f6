"""Driver connections of the engine, put into whole-log mode and kept for a while.

The hot path talks to asyncpg itself: a prepared statement with binary arrays, one round trip.
"""

import asyncio
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any, TypeAlias

from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from eventstore.errors import EventLogError, LogClosed, LogUnavailable, Overloaded
from eventstore.postgres.server_errors import SERVER_ERRORS, nothing_happened

Row: TypeAlias = Mapping[str, Any]

_CONNECT_SECONDS = 5.0
_STATEMENT_SECONDS = 5.0
_MAX_AGE_SECONDS = 60.0


class Session:
    """One connection in whole-log mode; statements are named by their file and prepared once.

    `driver` is asyncpg's own connection.
    """

    def __init__(self, connection: AsyncConnection, statements: Mapping[str, str]) -> None:
        self._connection = connection
        self._statements = statements
        self._prepared: dict[str, Any] = {}
        self.driver: Any = None
        self._since = time.monotonic()

    async def enter(self) -> None:
        self.driver = (await self._connection.get_raw_connection()).driver_connection
        await self._execute("enter_session")

    async def fetch(self, name: str, *arguments: object) -> list[Row]:
        statement = self._prepared.get(name)
        if statement is None:
            statement = await self.driver.prepare(
                self._statements[name], timeout=_STATEMENT_SECONDS
            )
            self._prepared[name] = statement
        rows: list[Row] = await statement.fetch(*arguments, timeout=_STATEMENT_SECONDS)
        return rows

    @asynccontextmanager
    async def impatient(self) -> AsyncIterator[None]:
        """Hardly wait for anybody's lock (2 ms) inside the context."""
        await self._execute("hardly_wait")
        try:
            yield
        finally:
            if not self.driver.is_closed():
                await self._execute("wait_again")

    @property
    def is_usable(self) -> bool:
        young = time.monotonic() - self._since < _MAX_AGE_SECONDS
        return young and not self.driver.is_closed()

    async def leave(self) -> None:
        """Give the connection back to the engine's pool, as it came from there."""
        try:
            await self._execute("leave_session")
        except SERVER_ERRORS:
            # Lost while idle, or never to be trusted with another tenant's query: not given back.
            await self.drop()
        else:
            await self._connection.close()

    async def drop(self) -> None:
        """Cut the connection; whatever state it is in, nobody gets it again."""
        if self.driver is not None:
            self.driver.terminate()
        await asyncio.shield(self._invalidate())

    async def _execute(self, name: str) -> None:
        await self.driver.execute(self._statements[name], timeout=_STATEMENT_SECONDS)

    async def _invalidate(self) -> None:
        await self._connection.invalidate()
        await self._connection.close()


class Sessions:
    """At most `limit` sessions at once, reused for a minute so that the engine can renew them.

    The engine's pool must be able to give that many connections.
    """

    def __init__(self, engine: AsyncEngine, statements: Mapping[str, str], *, limit: int) -> None:
        self._engine = engine
        self._statements = statements
        self._limit = limit
        self._permits = asyncio.Semaphore(limit)
        self._idle: list[Session] = []
        self._closed = False

    @asynccontextmanager
    async def use(self) -> AsyncIterator[Session]:
        """Lend a session for some statements. LogUnavailable or Overloaded when there is none."""
        try:
            async with asyncio.timeout(_CONNECT_SECONDS):
                await self._permits.acquire()
        except TimeoutError as error:
            raise Overloaded("all connections to the log are in use: try later") from error
        try:
            session = await self._take()
            try:
                yield session
            except BaseException as error:
                if isinstance(error, EventLogError) or nothing_happened(error):
                    await self._put(session)
                else:
                    await session.drop()
                raise
            await self._put(session)
        finally:
            self._permits.release()

    async def close(self) -> None:
        """Lend no more, and return once all that were lent are the engine's again."""
        self._closed = True
        # Given back to an engine that was disposed of meanwhile, a connection would stay open.
        async with AsyncExitStack() as all_permits:
            for _ in range(self._limit):
                await all_permits.enter_async_context(self._permits)
            while self._idle:
                await self._idle.pop().leave()

    async def _take(self) -> Session:
        if self._closed:
            raise LogClosed("the log is closed")
        while self._idle:
            session = self._idle.pop()
            if session.is_usable:
                return session
            await session.leave()
        return await self._open()

    async def _put(self, session: Session) -> None:
        if self._closed:
            await session.leave()
        else:
            self._idle.append(session)

    async def _open(self) -> Session:
        try:
            async with asyncio.timeout(_CONNECT_SECONDS):
                session = Session(await self._engine.connect(), self._statements)
                try:
                    await session.enter()
                except BaseException:
                    await session.drop()
                    raise
                return session
        except (*SERVER_ERRORS, SQLAlchemyError) as error:
            raise LogUnavailable("no connection to the log's server: try again later") from error
