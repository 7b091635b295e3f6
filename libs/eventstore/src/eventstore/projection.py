"""A read model made of a log's events, and how far it has come."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib.resources.abc import Traversable
from typing import Any, Protocol

from sqlalchemy import Table
from sqlalchemy.ext.asyncio import AsyncConnection

from eventstore.event import RecordedEvent

Row = Mapping[str, Any]
"""A row's values by column."""


@dataclass(frozen=True, slots=True)
class ReadModel:
    """The tables of a projection, as its service reads them, and the script that makes them.

    In the script {schema} stands for the schema of one build and {runtime_role} for who feeds and
    reads it. `underived` are the columns, as "table.column", that events alone do not determine:
    they do not count when builds are compared.
    """

    script: Traversable
    tables: tuple[Table, ...]
    underived: frozenset[str] = frozenset()


class Built(Protocol):
    """What builds are made of. A changed `version` needs a build of its own."""

    @property
    def name(self) -> str: ...

    @property
    def version(self) -> int: ...

    @property
    def model(self) -> ReadModel: ...


class Projection(Built, Protocol):
    """Turns events into rows.

    `types` are the events it wants, None for all. It writes the tables of `model` by SQLAlchemy's
    constructs, which the runner translates to the schema of the build that it feeds.
    """

    @property
    def types(self) -> frozenset[str] | None: ...

    async def apply(self, connection: AsyncConnection, events: Sequence[RecordedEvent]) -> None:
        """Write what the events change, on this connection only: its transaction is the runner's.

        Each event comes once, in order of position, unless the transaction fails.
        """

    async def opened(self, table: str, rows: Sequence[Row]) -> Sequence[Row]:
        """Open what this projection seals anew each time, so that builds can be compared.

        Rows of an erased subject are left out: a later build does not have them. Event bytes that
        are kept as they are stored need no opening.
        """


@dataclass(frozen=True, slots=True)
class ProjectionStatus:
    """How far a projection has come, and what holds it up.

    `lag` counts positions up to the log's head, `lag_seconds` is the age of what it lacks.
    `stuck` says why it does not move, None when it does.
    """

    name: str
    version: int
    position: int
    head: int
    lag_seconds: float
    stuck: str | None

    @property
    def lag(self) -> int:
        return max(self.head - self.position, 0)
