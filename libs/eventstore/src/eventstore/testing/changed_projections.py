"""Programs that changed, or break: projections beside the example to rebuild it with."""

import itertools
from collections import Counter
from collections.abc import Sequence
from importlib.resources import files

from sqlalchemy import BigInteger, Column, MetaData, Table, Text
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from eventstore.event import RecordedEvent
from eventstore.projection import ReadModel
from eventstore.testing.example_projection import Sightings


class Forgetful(Sightings):
    """Of the same version as another one, and yet it writes other rows: a changed program."""

    def row(self, event: RecordedEvent) -> dict[str, object]:
        return {**super().row(event), "position": -event.position}


class Unsteady(Sightings):
    """Writes what no event says, so that no two replays are alike, as a look at the clock does."""

    ticks = itertools.count()

    def row(self, event: RecordedEvent) -> dict[str, object]:
        return {**super().row(event), "position": next(self.ticks)}


class Fuller(Sightings):
    """The second version, with a column and a table that the first does not have."""

    def __init__(self, schema: str) -> None:
        super().__init__(schema, version=2)
        tables = MetaData(schema=schema)
        columns = [Column(one.name, one.type) for one in self._table.columns]
        self._table = Table("sighting", tables, *columns, Column("revision", BigInteger))
        self._tally = Table(
            "tally", tables, Column("tenant", Text, primary_key=True), Column("events", BigInteger)
        )
        self.model = ReadModel(
            files("eventstore.testing") / "example_projection_2.sql", (self._table, self._tally)
        )

    def row(self, event: RecordedEvent) -> dict[str, object]:
        return {**super().row(event), "revision": event.revision}

    async def apply(self, connection: AsyncConnection, events: Sequence[RecordedEvent]) -> None:
        await super().apply(connection, events)
        counted = insert(self._tally)
        counts = Counter(event.stream.tenant for event in events)
        await connection.execute(
            counted.on_conflict_do_update(
                index_elements=["tenant"],
                set_={"events": self._tally.c.events + counted.excluded.events},
            ),
            [{"tenant": tenant, "events": events} for tenant, events in counts.items()],
        )


class Breaking(Sightings):
    """Breaks off after some pages."""

    pages = 2

    async def apply(self, connection: AsyncConnection, events: Sequence[RecordedEvent]) -> None:
        if self.pages == 0:
            raise ConnectionAbortedError
        self.pages -= 1
        await super().apply(connection, events)
