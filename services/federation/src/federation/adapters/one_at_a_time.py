"""One enforcement at a time over all of federation's processes."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncEngine

_LOCK: Final = "federation/enforcement"
_WAIT_SECONDS: Final = 10.0


class PostgresOneAtATime:
    """An advisory lock that ends with its transaction; within a process it takes one connection."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine
        self._within = asyncio.Lock()

    @asynccontextmanager
    async def enter(self) -> AsyncIterator[None]:
        """Wait for the turn; raises TimeoutError when it does not come."""
        async with (
            asyncio.timeout(_WAIT_SECONDS) as wait,
            self._within,
            self._engine.begin() as connection,
        ):
            await connection.execute(select(func.pg_advisory_xact_lock(func.hashtext(_LOCK))))
            wait.reschedule(None)
            yield
