"""A writer that appends in a transaction of its own and holds it open, as a test wants it to."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from eventstore.event_log import Appended, Write
from eventstore.postgres.append_statement import attempt
from eventstore.postgres.sessions import Session
from eventstore.postgres.statements import load_statements
from integration.eventstore.log_rig import LogSchema


class OpenWriter:
    """Its append is in flight from `append` to `commit` or `roll_back`."""

    def __init__(self, session: Session) -> None:
        self.session = session
        self._transaction = session.driver.transaction()

    async def append(self, *writes: Write) -> Appended:
        if not self.session.driver.is_in_transaction():
            self._transaction = self.session.driver.transaction()
            await self._transaction.start()
        (appended,) = await attempt(self.session, [writes])
        assert appended is not None
        return appended

    async def commit(self) -> None:
        await self._transaction.commit()

    async def roll_back(self) -> None:
        await self._transaction.rollback()

    @property
    def backend(self) -> int:
        return int(self.session.driver.get_server_pid())


@asynccontextmanager
async def open_writer(schema: LogSchema) -> AsyncIterator[OpenWriter]:
    async with schema.rival_engine.connect() as connection:
        session = Session(connection, load_statements(schema.name))
        await session.enter()
        try:
            yield OpenWriter(session)
        finally:
            await session.drop()
