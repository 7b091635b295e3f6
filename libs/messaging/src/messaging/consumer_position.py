"""How far a consumer has come, moved in the transaction of what it did."""

from dataclasses import dataclass
from typing import Self

from sqlalchemy.ext.asyncio import AsyncConnection

from messaging.names import Consumption
from messaging.received_event import ReceivedEvent
from messaging.statements import load_statements


class Fenced(Exception):
    """Another process moved the position: it consumes now."""

    def __init__(self) -> None:
        super().__init__("another process moved the consumer's position")


@dataclass(frozen=True, slots=True)
class Place:
    """Everything up to `position` of the source's log in that epoch is done; epoch 0: nothing."""

    epoch: int
    position: int

    @classmethod
    def of(cls, event: ReceivedEvent) -> Self:
        return cls(event.epoch, event.position)


class ConsumerPosition:
    """The row of one consumer on one source."""

    def __init__(self, schema: str, consumption: Consumption) -> None:
        self._statements = load_statements(schema)
        self._key = (consumption.durable, consumption.source)

    async def open(self, connection: AsyncConnection) -> Place:
        """Read it; a consumer that never ran is before the first event."""
        await connection.exec_driver_sql(self._statements["open_consumer_position"], self._key)
        found = await connection.exec_driver_sql(
            self._statements["read_consumer_position"], self._key
        )
        row = found.one()
        return Place(row.epoch, row.position)

    async def move(self, connection: AsyncConnection, old: Place, new: Place) -> None:
        """Move it and keep rivals waiting until the transaction ends. Raises Fenced."""
        moved = await connection.exec_driver_sql(
            self._statements["move_consumer_position"],
            (*self._key, old.epoch, old.position, new.epoch, new.position),
        )
        if moved.first() is None:
            raise Fenced
