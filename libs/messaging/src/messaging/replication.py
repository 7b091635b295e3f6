"""Lets an append wait until its events are safe in the stream, too."""

import asyncio

from eventstore.errors import LogUnavailable
from eventstore.postgres.server_errors import SERVER_ERRORS
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncEngine

from messaging.statements import load_statements

_LOOK_SECONDS = 0.05


class StreamReplication:
    """The log's ReplicationGate: a position is safe once the stream acknowledged it.

    That is worth having only where the stream writes through to disk or has three replicas. The
    relay of this process tells it at once; when another process holds the relay, the checkpoint
    in the log's schema does, a little later.
    """

    def __init__(self, engine: AsyncEngine, schema: str) -> None:
        self._engine = engine
        self._statements = load_statements(schema)
        self._position = 0
        self._moved = asyncio.Event()

    def confirm(self, position: int) -> None:
        """Note that the stream has acknowledged everything up to the position."""
        self._position = max(self._position, position)
        self._moved.set()
        self._moved = asyncio.Event()

    async def replicated(self, position: int) -> None:
        """Return once the position is acknowledged; the caller bounds the wait."""
        while self._position < position:
            try:
                async with asyncio.timeout(_LOOK_SECONDS):
                    await self._moved.wait()
            except TimeoutError:
                await self._look()

    async def _look(self) -> None:
        try:
            async with self._engine.connect() as connection:
                found = await connection.exec_driver_sql(self._statements["read_relay_checkpoint"])
                row = found.first()
        except (*SERVER_ERRORS, SQLAlchemyError) as error:
            raise LogUnavailable("the relay's checkpoint cannot be read: try again") from error
        if row is not None:
            self.confirm(row.position)
