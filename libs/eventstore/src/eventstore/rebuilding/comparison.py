"""Compares the opened rows of two builds, table by table; tells numbers and digests, no values."""

import hashlib
import json
import secrets
from collections.abc import AsyncGenerator, AsyncIterator, Mapping, Sequence
from contextlib import aclosing
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import ColumnElement, Table, Text, select, text
from sqlalchemy.ext.asyncio import AsyncConnection

from eventstore.projection import Projection, Row

_ROWS_AT_ONCE = 1_000
_KEY_BYTES = 32
_COLUMNS = text(
    "select table_name, column_name from information_schema.columns where table_schema = :place"
)


@dataclass(frozen=True, slots=True)
class Side:
    """One build as a transaction sees it, and the columns that its tables have."""

    connection: AsyncConnection
    columns: Mapping[str, frozenset[str]]


@dataclass(frozen=True, slots=True)
class TableDifference:
    """How two builds of a table differ: rows that one alone has, and rows of one key that differ.

    Digests are of the opened rows in the order of their keys, under a key that is drawn for each
    comparison: what is told of rows lets nobody try out what may be in them.
    """

    table: str
    old_rows: int
    new_rows: int
    only_old: int
    only_new: int
    changed: int
    old_digest: str
    new_digest: str

    @property
    def equal(self) -> bool:
        return self.old_digest == self.new_digest and self.old_rows == self.new_rows


async def side_of(connection: AsyncConnection, schema: str, place: str) -> Side:
    """Look at a build; from now on the connection reads the schema's tables there."""
    found: dict[str, set[str]] = {}
    for table, column in await connection.execute(_COLUMNS, {"place": place}):
        found.setdefault(table, set()).add(column)
    await connection.execution_options(schema_translate_map={schema: place})
    return Side(connection, {table: frozenset(columns) for table, columns in found.items()})


async def compare(projection: Projection, old: Side, new: Side) -> tuple[TableDifference, ...]:
    """Compare each table in the columns that both builds have and that events determine."""
    key = secrets.token_bytes(_KEY_BYTES)
    return tuple(
        [await _compared(projection, table, old, new, key) for table in projection.model.tables]
    )


async def _compared(
    projection: Projection, table: Table, old: Side, new: Side, key: bytes
) -> TableDifference:
    all_columns = frozenset(table.columns.keys())
    shared = old.columns.get(table.name, all_columns) & new.columns.get(table.name, all_columns)
    reading = _Reading(projection, table, shared & all_columns, key)
    one, other, changed = _Digested(), _Digested(), 0
    async with (
        aclosing(reading.rows(old)) as old_rows,
        aclosing(reading.rows(new)) as new_rows,
    ):
        left, right = await one.next(old_rows), await other.next(new_rows)
        while left is not None or right is not None:
            if right is None or (left is not None and left.key < right.key):
                one.alone += 1
                left = await one.next(old_rows)
            elif left is None or right.key < left.key:
                other.alone += 1
                right = await other.next(new_rows)
            else:
                changed += left.digest != right.digest
                left, right = await one.next(old_rows), await other.next(new_rows)
    return TableDifference(
        table.name,
        one.rows,
        other.rows,
        one.alone,
        other.alone,
        changed,
        one.whole.hexdigest(),
        other.whole.hexdigest(),
    )


@dataclass(frozen=True, slots=True)
class _Digest:
    """A row's key, in an order that PostgreSQL and Python agree on, and its digest."""

    key: tuple[tuple[bool, Any], ...]
    digest: bytes


@dataclass(slots=True)
class _Digested:
    """What was read of one side so far."""

    rows: int = 0
    alone: int = 0
    whole: Any = field(default_factory=hashlib.sha256)

    async def next(self, rows: AsyncIterator[_Digest]) -> _Digest | None:
        row = await anext(rows, None)
        if row is not None:
            self.rows += 1
            self.whole.update(row.digest)
        return row


class _Reading:
    """Reads a table of a build in the order of its key."""

    def __init__(
        self, projection: Projection, table: Table, columns: frozenset[str], digest_key: bytes
    ) -> None:
        self._digest_key = digest_key
        self._projection = projection
        self._table = table
        self._columns = [column for column in table.columns if column.name in columns]
        key = [column for column in table.primary_key.columns if column.name in columns]
        self._key = key or self._columns
        # What another version lacks can not be opened: it is compared as it is stored.
        self._opens = len(self._columns) == len(table.columns)
        self._compared = [
            column.name
            for column in self._columns
            if f"{table.name}.{column.name}" not in projection.model.underived
        ]

    async def rows(self, side: Side) -> AsyncGenerator[_Digest, None]:
        if self._table.name not in side.columns:
            return
        query = select(*self._columns).order_by(*map(_in_order, self._key))
        result = await side.connection.stream(query, execution_options={"yield_per": _ROWS_AT_ONCE})
        async for rows in result.mappings().partitions():
            for row in await self._opened([dict(row) for row in rows]):
                yield _Digest(
                    tuple((row[one.name] is None, row[one.name]) for one in self._key),
                    _digest([row[name] for name in self._compared], self._digest_key),
                )

    async def _opened(self, rows: Sequence[Row]) -> Sequence[Row]:
        return await self._projection.opened(self._table.name, rows) if self._opens else rows


def _in_order(column: ColumnElement[Any]) -> ColumnElement[Any]:
    """Order texts by their code points, as Python does, whatever the database's collation is."""
    return column.collate("C") if isinstance(column.type, Text) else column


def _digest(values: Sequence[object], key: bytes) -> bytes:
    return hashlib.blake2b(json.dumps(values, default=_as_text).encode(), key=key).digest()


def _as_text(value: object) -> str:
    """Write what JSON has no form for, its type with it."""
    shown = value.hex() if isinstance(value, bytes) else str(value)
    return f"{type(value).__name__}:{shown}"
