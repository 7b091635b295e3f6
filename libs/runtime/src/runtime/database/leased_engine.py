"""Engines of one database role, whose login is exchanged while they are in use."""

import asyncio
import logging
import random
from collections.abc import Mapping
from contextlib import AsyncExitStack
from types import TracebackType
from typing import Final, Self

from eventstore.backoff import Backoff
from sqlalchemy import Pool, QueuePool, event, text
from sqlalchemy.ext.asyncio import AsyncEngine
from sqlalchemy.util import greenlet_spawn

from runtime.addresses import DatabaseAddress
from runtime.database.engine import create_engine
from runtime.database.login_source import LoginSource
from runtime.vault.database_login import DatabaseLogin
from runtime.vault.errors import VaultUnavailable

_log = logging.getLogger(__name__)
_DRAIN_SECONDS: Final = 30.0
_BACKOFF: Final = Backoff(first=0.5, longest=15.0)


class LeasedDatabase:
    """A database and the login that a role has on it now.

    Entering has a login made, leaving closes the engines and has it ended. `stay_fresh` exchanges
    it at two thirds of its lease, or when Vault's session signed in anew: pools are swapped,
    connections in use finish, then the old login is ended.
    """

    def __init__(self, address: DatabaseAddress, logins: LoginSource, role: str) -> None:
        self._address = address
        self._logins = logins
        self._role = role
        self._login: DatabaseLogin | None = None
        self._engines: list[AsyncEngine] = []

    async def __aenter__(self) -> Self:
        self._login = await self._logins.create(self._role)
        return self

    async def __aexit__(
        self,
        _type: type[BaseException] | None,
        _value: BaseException | None,
        _traceback: TracebackType | None,
    ) -> None:
        async with AsyncExitStack() as stack:
            stack.push_async_callback(self._end, self._current())
            for engine in self._engines:
                stack.push_async_callback(engine.dispose)

    def engine(
        self,
        purpose: str,
        *,
        server_settings: Mapping[str, str] | None = None,
        pool_size: int = 10,
    ) -> AsyncEngine:
        """Make an engine for a purpose, which PostgreSQL shows as the application's name."""
        engine = create_engine(
            self._address,
            self._current,
            application_name=f"{self._role} {purpose}",
            server_settings=server_settings or {},
            pool_size=pool_size,
        )
        self._engines.append(engine)
        return engine

    async def stay_fresh(self) -> None:
        """Exchange the login in time, without end; the owner runs this beside its own work."""
        failures = 0
        while True:
            await self._until_exchange(self._current())
            try:
                fresh = await self._logins.create(self._role)
            except VaultUnavailable as error:
                _log.warning(
                    "database login was not exchanged", extra={"error": type(error).__name__}
                )
                failures += 1
                await asyncio.sleep(_BACKOFF.after(failures))
                continue
            failures = 0
            old, self._login = self._current(), fresh
            await self._swap_pools(old)
            await self._end(old)

    def _current(self) -> DatabaseLogin:
        if self._login is None:
            raise RuntimeError("enter the database before using it")
        return self._login

    async def _until_exchange(self, login: DatabaseLogin) -> None:
        spread = random.uniform(0.9, 1.0)  # noqa: S311  jitter, no secret
        exchange_at = login.ends_at - login.lifetime * (1 - 2 / 3 * spread)
        try:
            async with asyncio.timeout_at(exchange_at):
                await self._logins.superseded(login)
        except TimeoutError:
            return

    async def _swap_pools(self, old: DatabaseLogin) -> None:
        """Give every engine a new pool, and close the old ones once nobody uses them.

        What is still in use when the old login is near its end is left: the server ends it.
        """
        now = asyncio.get_running_loop().time()
        until = max(now, min(now + _DRAIN_SECONDS, old.ends_at))
        pools: list[Pool] = []
        for engine in self._engines:
            pools.append(engine.sync_engine.pool)
            await engine.dispose(close=False)
        for pool in pools:
            await _unused(pool, until)
            await greenlet_spawn(pool.dispose)

    async def _end(self, login: DatabaseLogin) -> None:
        try:
            await self._logins.revoke(login)
        except VaultUnavailable:
            _log.warning("database login could not be ended; its lease ends it")


async def _unused(pool: Pool, until: float) -> None:
    """Return once no connection of a pool is in use, or at `until`."""
    if not isinstance(pool, QueuePool):
        raise TypeError("the engines of a leased database pool their connections in a queue")
    returned = asyncio.Event()
    event.listen(pool, "checkin", lambda *_: returned.set())
    try:
        async with asyncio.timeout_at(until):
            while pool.checkedout():
                returned.clear()
                await returned.wait()
    except TimeoutError:
        _log.warning("database connections outlive their login; the server ends them")


async def answers(engine: AsyncEngine) -> None:
    """Raise what the driver raises unless the database answers."""
    async with engine.connect() as connection:
        await connection.execute(text("SELECT 1"))
