"""Finds entries again: pages in order of time and log, never by offset."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Row, Select, Table, select, tuple_
from sqlalchemy.ext.asyncio import AsyncConnection

from audit.adapters import tables


@dataclass(frozen=True, slots=True)
class Place:
    """After which entry a page begins."""

    time: datetime
    service: str
    epoch: int
    position: int


@dataclass(frozen=True, slots=True)
class Span:
    """From a time on, and before another; None where it is open."""

    start: datetime | None
    end: datetime | None


async def accesses(
    connection: AsyncConnection,
    *,
    patient: str,
    recipient: str,
    span: Span,
    after: Place | None,
    limit: int,
) -> list[Row[tuple[object, ...]]]:
    """Give at most `limit` accesses to a patient's data, by a recipient, or both."""
    query = select(tables.access)
    if patient:
        query = query.where(tables.access.c.patient == patient)
    if recipient:
        query = query.where(tables.access.c.recipient == recipient)
    query = _page(query, tables.access, "disclose_time", span, after)
    return list((await connection.execute(query.limit(limit))).all())


async def actions(
    connection: AsyncConnection,
    *,
    stream: str,
    actor: str,
    trace_id: str,
    span: Span,
    after: Place | None,
    limit: int,
) -> list[Row[tuple[object, ...]]]:
    """Give at most `limit` actions, narrowed by what is not empty."""
    query = select(tables.action)
    for name, value in (("stream", stream), ("actor", actor), ("trace_id", trace_id)):
        if value:
            query = query.where(tables.action.c[name] == value)
    query = _page(query, tables.action, "record_time", span, after)
    return list((await connection.execute(query.limit(limit))).all())


async def coverage(connection: AsyncConnection) -> list[Row[tuple[object, ...]]]:
    """Give how far each service's log is in."""
    query = select(tables.coverage).order_by(tables.coverage.c.service)
    return list((await connection.execute(query)).all())


def _page(
    query: Select[tuple[object, ...]],
    table: Table,
    time: str,
    span: Span,
    after: Place | None,
) -> Select[tuple[object, ...]]:
    moment = table.c[time]
    order = (moment, table.c.service, table.c.epoch, table.c.position)
    if span.start is not None:
        query = query.where(moment >= span.start)
    if span.end is not None:
        query = query.where(moment < span.end)
    if after is not None:
        query = query.where(
            tuple_(*order) > (after.time, after.service, after.epoch, after.position)
        )
    return query.order_by(*order)
