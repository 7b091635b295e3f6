"""A projection to test with: one row for each event it was given."""

from collections.abc import Sequence

from sqlalchemy import BigInteger, Column, MetaData, Table, Text, Uuid, insert, select
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from eventstore.event import RecordedEvent


class Sightings:
    """Fails, after it has written its rows, for as long as `failure` is set.

    The table has no key, so that an event applied twice is seen twice.
    """

    def __init__(
        self, schema: str, *, version: int = 1, types: frozenset[str] | None = None
    ) -> None:
        self.name = "sightings"
        self.version = version
        self.types = types
        self.failure: Exception | None = None
        self._table = Table(
            f"sighting_{version}",
            MetaData(schema=schema),
            Column("event_id", Uuid, nullable=False),
            Column("tenant", Text, nullable=False),
            Column("position", BigInteger, nullable=False),
        )

    async def create(self, engine: AsyncEngine) -> None:
        async with engine.begin() as connection:
            await connection.run_sync(self._table.metadata.create_all)

    async def apply(self, connection: AsyncConnection, events: Sequence[RecordedEvent]) -> None:
        rows = [
            {"event_id": event.id, "tenant": event.stream.tenant, "position": event.position}
            for event in events
        ]
        await connection.execute(insert(self._table), rows)
        if self.failure is not None:
            raise self.failure

    async def positions(self, engine: AsyncEngine) -> list[int]:
        async with engine.connect() as connection:
            query = select(self._table.c.position).order_by(self._table.c.position)
            return list((await connection.execute(query)).scalars())
