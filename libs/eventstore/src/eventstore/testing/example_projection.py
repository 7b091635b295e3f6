"""A projection to test with: one row for each event it was given."""

from collections.abc import Sequence
from importlib.resources import files

from sqlalchemy import BigInteger, Column, MetaData, Table, Text, Uuid, insert, text
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from eventstore.event import RecordedEvent
from eventstore.postgres.build_owner import BuildOwner, OwnedSchema
from eventstore.postgres.builds import Build, BuildState
from eventstore.projection import ReadModel, Row


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
        self._schema = schema
        self._table = Table(
            "sighting",
            MetaData(schema=schema),
            Column("event_id", Uuid, nullable=False),
            Column("tenant", Text, nullable=False),
            Column("position", BigInteger, nullable=False),
        )
        self.model = ReadModel(
            files("eventstore.testing") / "example_projection.sql", (self._table,)
        )

    async def create(self, schema: OwnedSchema) -> Build:
        """Make a build of this version, and make it live."""
        owner = BuildOwner(schema)
        build = await owner.make(self, BuildState.READY)
        async with owner.switching(self.name) as switch:
            await switch.to(build)
        return build

    async def apply(self, connection: AsyncConnection, events: Sequence[RecordedEvent]) -> None:
        await connection.execute(insert(self._table), [self.row(event) for event in events])
        if self.failure is not None:
            raise self.failure

    def row(self, event: RecordedEvent) -> dict[str, object]:
        return {"event_id": event.id, "tenant": event.stream.tenant, "position": event.position}

    async def opened(self, table: str, rows: Sequence[Row]) -> Sequence[Row]:
        del table
        return rows

    async def positions(self, engine: AsyncEngine) -> list[int]:
        """Read the positions that the live build shows."""
        async with engine.connect() as connection:
            query = text(f'select position from "{self._schema}".sighting order by position')  # noqa: S608
            return list((await connection.execute(query)).scalars())
