"""A projection's checkpoint, in the log's schema."""

from sqlalchemy.ext.asyncio import AsyncConnection

from eventstore.event_log import Head
from eventstore.postgres.statements import load_statements


class Checkpoint:
    """Read and moved in the transaction of the rows that it vouches for."""

    def __init__(self, schema: str, projection: str, version: int) -> None:
        self._statements = load_statements(schema)
        self._key = (projection, version)

    async def enter(self, connection: AsyncConnection) -> None:
        """Let the transaction see all tenants' rows."""
        await connection.exec_driver_sql(self._statements["enter_transaction"])

    async def open(self, connection: AsyncConnection) -> Head:
        """Epoch and position; a projection that never ran starts before the first event."""
        await connection.exec_driver_sql(self._statements["open_checkpoint"], self._key)
        found = await connection.exec_driver_sql(self._statements["read_checkpoint"], self._key)
        row = found.one()
        return Head(epoch=row.epoch, position=row.position)

    async def move(self, connection: AsyncConnection, old: Head, position: int) -> bool:
        """Whether it was still at `old`, and so is moved; it stays locked until the end."""
        moved = await connection.exec_driver_sql(
            self._statements["move_checkpoint"], (*self._key, old.epoch, old.position, position)
        )
        return moved.first() is not None
