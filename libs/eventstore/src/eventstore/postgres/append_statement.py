"""One attempt to append, and why it did not land."""

from collections.abc import Iterator, Sequence
from itertools import count

import asyncpg

from eventstore.errors import EventIdReused, RevisionConflict
from eventstore.event import NewEvent
from eventstore.event_log import Appended, Write
from eventstore.expected_revision import ExpectedRevision
from eventstore.postgres.server_errors import sqlstate
from eventstore.postgres.sessions import Row, Session

_TORN = "ES001"
_UNPROBED = -3


async def append_once(session: Session, writes: Sequence[Write]) -> Appended | None:
    """Append, or tell where the same request landed before.

    None when it lost a race that it may win at the next try. Raises RevisionConflict,
    EventIdReused, and what the driver raises.
    """
    return await attempt(session, writes) or await classify(session, writes)


async def attempt(session: Session, writes: Sequence[Write]) -> Appended | None:
    """One statement, hence all or nothing; None when nothing landed."""
    try:
        rows = await session.fetch("append", *_parts(writes), *_rows(writes))
    except asyncpg.PostgresError as error:
        if sqlstate(error) == _TORN:
            return None
        raise
    by_part: dict[int, Row] = {row["i"]: row for row in rows}
    parts = [by_part[part] for part, _ in enumerate(writes, start=1)]
    if any(row["got"] < len(write.events) for row, write in zip(parts, writes, strict=True)):
        return None
    return Appended(
        position=max(row["last"] for row in parts),
        revisions=tuple((-1 if row["head"] is None else row["head"]) + row["got"] for row in parts),
        duplicate=False,
    )


async def classify(session: Session, writes: Sequence[Write]) -> Appended | None:
    """Why nothing landed: it had before (where), a conflict or a reused id (raised), a race (None).

    A statement of its own, so that it sees what stood in the attempt's way.
    """
    events = list(_events(writes))
    keys = [write.stream.key for write in writes]
    rows = await session.fetch(
        "classify",
        [part for part, _, _ in events],
        [ordinal for _, ordinal, _ in events],
        [keys[part - 1] for part, _, _ in events],
        [event.id for _, _, event in events],
        [event.type for _, _, event in events],
        [event.digest for _, _, event in events],
    )
    by_write = [
        [row for row in rows if row["part"] == part] for part, _ in enumerate(writes, start=1)
    ]
    if all(_is_repeat(found) for found in by_write):
        return Appended(
            position=max(found[-1]["position"] for found in by_write),
            revisions=tuple(found[-1]["revision"] for found in by_write),
            duplicate=True,
        )
    for row, (_, _, event) in zip(rows, events, strict=True):
        if row["found"]:
            raise EventIdReused(event.id)
    for write, found in zip(writes, by_write, strict=True):
        if not write.expected.admits(found[0]["head"]):
            raise RevisionConflict(write.stream, write.expected, found[0]["head"])
    return None


def _is_repeat(found: Sequence[Row]) -> bool:
    """Whether a write's events are all there already, one after the other."""
    if not all(row["same"] for row in found):
        return False
    first = found[0]["revision"]
    return all(row["revision"] == revision for row, revision in zip(found, count(first)))


def _parts(writes: Sequence[Write]) -> tuple[list[object], ...]:
    alone = len(writes) == 1 and len(writes[0].events) == 1
    return (
        [0 for _ in writes],
        [write.stream.key for write in writes],
        [_UNPROBED if alone and _is_new(write) else write.expected.code for write in writes],
        [len(write.events) for write in writes],
    )


def _is_new(write: Write) -> bool:
    return write.expected == ExpectedRevision.NO_STREAM


def _rows(writes: Sequence[Write]) -> tuple[list[object], ...]:
    events = list(_events(writes))
    streams = [writes[part - 1].stream for part, _, _ in events]
    return (
        [part for part, _, _ in events],
        [ordinal for _, ordinal, _ in events],
        [event.id for _, _, event in events],
        [stream.tenant for stream in streams],
        [stream.name for stream in streams],
        [event.type for _, _, event in events],
        [event.data for _, _, event in events],
        [event.metadata for _, _, event in events],
        [event.digest for _, _, event in events],
    )


def _events(writes: Sequence[Write]) -> Iterator[tuple[int, int, NewEvent]]:
    """Each event with its part (from 1) and its ordinal in the part (from 0)."""
    for part, write in enumerate(writes, start=1):
        for ordinal, event in enumerate(write.events):
            yield part, ordinal, event
