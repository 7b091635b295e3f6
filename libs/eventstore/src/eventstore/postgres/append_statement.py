"""One attempt to append requests in one statement, and why some of them did not land."""

from collections.abc import Iterator, Sequence
from itertools import count
from typing import TypeAlias

import asyncpg

from eventstore.errors import EventIdReused, EventLogError, RevisionConflict
from eventstore.event import NewEvent
from eventstore.event_log import Appended, Write
from eventstore.expected_revision import ExpectedRevision
from eventstore.postgres.server_errors import sqlstate
from eventstore.postgres.sessions import Row, Session

Request: TypeAlias = Sequence[Write]
"""The writes of one append: all of them land, or none does."""

Outcome: TypeAlias = Appended | RevisionConflict | EventIdReused | None
"""What became of a request; None: it lost a race that it may win at the next try."""

_TORN = "ES001"
_UNPROBED = -3


class Torn(EventLogError):
    """Of some requests a part would have landed, so that none of the statement's did.

    `requests` are their places in the list that was attempted.
    """

    def __init__(self, requests: frozenset[int]) -> None:
        super().__init__("another writer took a part of what was to be appended: try again")
        self.requests = requests


async def append_once(session: Session, requests: Sequence[Request]) -> list[Outcome]:
    """Append what can be appended, and tell of each of the others why it was not.

    No two requests may write to the same stream. Raises Torn when there are several, and what the
    driver raises; then nothing of it landed, or that is unknown.
    """
    try:
        outcomes: list[Outcome] = list(await attempt(session, requests))
    except Torn:
        if len(requests) > 1:
            raise
        outcomes = [None]
    lost = [place for place, outcome in enumerate(outcomes) if outcome is None]
    if lost:
        judged = await classify(session, [requests[place] for place in lost])
        for place, outcome in zip(lost, judged, strict=True):
            outcomes[place] = outcome
    return outcomes


async def attempt(session: Session, requests: Sequence[Request]) -> list[Appended | None]:
    """One statement; None for a request of which nothing landed."""
    try:
        rows = await session.fetch("append", *_parts(requests), *_rows(requests))
    except asyncpg.PostgresError as error:
        if sqlstate(error) == _TORN:
            raise Torn(frozenset(map(int, (error.detail or "").split(",")))) from None
        raise
    by_part: dict[int, Row] = {row["i"]: row for row in rows}
    parts = count(1)
    return [_landed([(by_part[next(parts)], write) for write in request]) for request in requests]


async def classify(session: Session, requests: Sequence[Request]) -> list[Outcome]:
    """Why nothing landed: it had before (where), a conflict or a reused id, or a race (None).

    A statement of its own, so that it sees what stood in the attempt's way.
    """
    events = list(_events(requests))
    writes = [write for request in requests for write in request]
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
    found: list[list[Row]] = [[] for _ in writes]
    for row in rows:
        found[row["part"] - 1].append(row)
    parts = iter(found)
    return [_judged(request, [next(parts) for _ in request]) for request in requests]


def _landed(parts: Sequence[tuple[Row, Write]]) -> Appended | None:
    if any(row["got"] < len(write.events) for row, write in parts):
        return None
    return Appended(
        position=max(row["last"] for row, _ in parts),
        revisions=tuple(
            (-1 if row["head"] is None else row["head"]) + row["got"] for row, _ in parts
        ),
        duplicate=False,
    )


def _judged(request: Request, by_write: Sequence[Sequence[Row]]) -> Outcome:
    if all(_is_repeat(found) for found in by_write):
        return Appended(
            position=max(found[-1]["position"] for found in by_write),
            revisions=tuple(found[-1]["revision"] for found in by_write),
            duplicate=True,
        )
    for write, found in zip(request, by_write, strict=True):
        for row, event in zip(found, write.events, strict=True):
            if row["found"]:
                return EventIdReused(event.id)
    for write, found in zip(request, by_write, strict=True):
        if not write.expected.admits(found[0]["head"]):
            return RevisionConflict(write.stream, write.expected, found[0]["head"])
    return None


def _is_repeat(found: Sequence[Row]) -> bool:
    """Whether a write's events are all there already, one after the other."""
    if not all(row["same"] for row in found):
        return False
    first = found[0]["revision"]
    return all(row["revision"] == revision for row, revision in zip(found, count(first)))


def _parts(requests: Sequence[Request]) -> tuple[list[object], ...]:
    parts = [(place, request, write) for place, request in enumerate(requests) for write in request]
    return (
        [place for place, _, _ in parts],
        [write.stream.key for _, _, write in parts],
        [
            _UNPROBED if _is_new_and_alone(request) else write.expected.code
            for _, request, write in parts
        ],
        [len(write.events) for _, _, write in parts],
    )


def _is_new_and_alone(request: Request) -> bool:
    """Whether the unique key alone can judge it: one event that is to begin its stream."""
    return (
        len(request) == 1
        and len(request[0].events) == 1
        and request[0].expected == ExpectedRevision.NO_STREAM
    )


def _rows(requests: Sequence[Request]) -> tuple[list[object], ...]:
    events = list(_events(requests))
    streams = [write.stream for request in requests for write in request]
    of_events = [streams[part - 1] for part, _, _ in events]
    return (
        [part for part, _, _ in events],
        [ordinal for _, ordinal, _ in events],
        [event.id for _, _, event in events],
        [stream.tenant for stream in of_events],
        [stream.name for stream in of_events],
        [event.type for _, _, event in events],
        [event.data for _, _, event in events],
        [event.metadata for _, _, event in events],
        [event.digest for _, _, event in events],
    )


def _events(requests: Sequence[Request]) -> Iterator[tuple[int, int, NewEvent]]:
    """Each event with its part (from 1) and its ordinal in the part (from 0)."""
    writes = (write for request in requests for write in request)
    for part, write in enumerate(writes, start=1):
        for ordinal, event in enumerate(write.events):
            yield part, ordinal, event
