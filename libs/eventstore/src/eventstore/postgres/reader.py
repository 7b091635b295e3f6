"""Reads of the log, page by page by key, never beyond where it is complete."""

import asyncio
from collections.abc import AsyncIterator, Collection, Iterable, Sequence
from typing import Any
from uuid import UUID

from eventstore.as_of import AsOf
from eventstore.errors import LogUnavailable
from eventstore.event import RecordedEvent
from eventstore.event_log import Head, Page
from eventstore.postgres.patience import Patience
from eventstore.postgres.server_errors import SERVER_ERRORS, may_pass, nothing_happened, refused
from eventstore.postgres.sessions import Row, Sessions
from eventstore.stream_id import StreamId

_STREAM_PAGE = 500
_LOG_PAGE = 2_000
_SUBSCRIBER_PAGE = 500
_BYTES = 8 << 20
_LAST_REVISION = (1 << 63) - 1


class Reader:
    """Each page in a session of its own, so that a slow reader holds none.

    A lost connection is taken up again where it was, for at most `patience` seconds a page.
    """

    def __init__(self, sessions: Sessions, *, patience: float) -> None:
        self._sessions = sessions
        self._patience = patience

    async def head(self) -> Head:
        rows = await self._ask("head")
        return Head(rows[0]["epoch"], rows[0]["position"])

    async def recall(self, event_ids: Sequence[UUID]) -> list[RecordedEvent]:
        return _events(await self._ask("recall", list(event_ids)))

    async def stream(
        self,
        stream: StreamId,
        *,
        from_revision: int,
        as_of: AsOf | None,
        backwards: bool,
        limit: int | None,
    ) -> AsyncIterator[RecordedEvent]:
        statement = "read_stream_backwards" if backwards else "read_stream_forwards"
        lowest, highest = from_revision, await self._last_revision(stream, as_of)
        left = limit
        while left is None or left > 0:
            size = _STREAM_PAGE if left is None else min(left, _STREAM_PAGE)
            rows = await self._ask(
                statement,
                stream.key,
                stream.tenant,
                stream.name,
                lowest,
                highest,
                size,
                _BYTES,
            )
            for event in _events(rows):
                yield event
            if len(rows) < size and _bytes_of(rows) < _BYTES:
                return
            left = None if left is None else left - len(rows)
            if backwards:
                highest = rows[-1]["revision"] - 1
            else:
                lowest = rows[-1]["revision"] + 1

    async def _last_revision(self, stream: StreamId, as_of: AsOf | None) -> int:
        """Find the revision at which a read ends; -1 when there was no stream yet."""
        if as_of is None:
            return _LAST_REVISION
        rows = await self._ask(
            "revision_as_of",
            stream.key,
            stream.tenant,
            stream.name,
            as_of.revision,
            as_of.position,
            as_of.time,
        )
        return rows[0]["revision"] if rows else -1

    async def log(
        self,
        *,
        after: int,
        until: int | None,
        backwards: bool,
        limit: int | None,
        types: Collection[str] | None,
    ) -> AsyncIterator[RecordedEvent]:
        head = (await self.head()).position
        lowest, highest = after, head if until is None else min(until, head)
        left = limit

        def next_page() -> asyncio.Future[tuple[list[RecordedEvent], int | None]] | None:
            if lowest >= highest or (left is not None and left <= 0):
                return None
            size = _LOG_PAGE if left is None or types is not None else min(left, _LOG_PAGE)
            page = self._log_page(lowest, highest, size, types, backwards=backwards)
            return asyncio.ensure_future(page)

        ahead = next_page()
        try:
            while ahead is not None:
                events, read_to = await ahead
                ahead = None
                if read_to is None:
                    return
                wanted = events[:left]
                left = None if left is None else left - len(wanted)
                lowest, highest = (lowest, read_to - 1) if backwards else (read_to, highest)
                # The server makes the next page while this one is in the reader's hands.
                ahead = next_page()
                for event in wanted:
                    yield event
        finally:
            if ahead is not None:
                # Not cancelled: a question that is cut off costs its connection.
                await asyncio.gather(ahead, return_exceptions=True)

    async def subscriber_page(self, after: int, head: Head, types: Collection[str] | None) -> Page:
        """Read the next events after a position; none means that there are none up to the head."""
        while True:
            events, read_to = await self._log_page(after, head.position, _SUBSCRIBER_PAGE, types)
            if events or read_to is None:
                return Page(tuple(events), head)
            after = read_to

    async def _log_page(
        self,
        after: int,
        until: int,
        size: int,
        types: Collection[str] | None,
        *,
        backwards: bool = False,
    ) -> tuple[list[RecordedEvent], int | None]:
        """Read events of one page, and the last position that was looked at, None at the end."""
        if types is None and not backwards:
            rows = await self._ask("read_log_all_types", after, until, size, _BYTES)
            return _following(rows), rows[-1]["position"] if rows else None
        statement = "read_log_backwards" if backwards else "read_log_forwards"
        wanted = None if types is None else list(types)
        rows = await self._ask(statement, after, until, size, _BYTES, wanted)
        read_to: int | None = rows[0]["read_to"]
        return _events([row for row in rows if row["position"] is not None]), read_to

    async def _ask(self, statement: str, *arguments: object) -> list[Row]:
        patience = Patience(self._patience)
        while True:
            try:
                async with self._sessions.use() as session:
                    return await session.fetch(statement, *arguments)
            except LogUnavailable:
                if not await patience.pause():
                    raise
            except SERVER_ERRORS as error:
                if nothing_happened(error) and not may_pass(error):
                    raise refused(error) from error
                if not await patience.pause():
                    text = "the log's server was lost while reading: try again later"
                    raise LogUnavailable(text) from error


def _bytes_of(rows: Sequence[Row]) -> int:
    return sum(len(row["data"]) + len(row["metadata"]) for row in rows)


def _events(rows: Sequence[Row]) -> list[RecordedEvent]:
    streams: dict[tuple[str, str], StreamId] = {}
    events = []
    for row in rows:
        name = (row["tenant"], row["stream"])
        stream = streams.get(name) or streams.setdefault(name, StreamId(*name))
        events.append(
            RecordedEvent(
                row["position"],
                row["previous_position"],
                stream,
                row["revision"],
                row["event_id"],
                row["type"],
                row["data"],
                row["metadata"],
                row["recorded_at"],
                row["digest"],
            )
        )
    return events


def _following(rows: Sequence[Row]) -> list[RecordedEvent]:
    """Make the events of a page that leaves none out: each comes right after the one above it."""
    streams: dict[tuple[str, str], StreamId] = {}
    events = []
    previous = rows[0]["previous_position"] if rows else 0
    columns: Iterable[Any] = rows
    for position, tenant, name, revision, event_id, kind, data, metadata, at, digest, _ in columns:
        stream = streams.get((tenant, name))
        if stream is None:
            stream = streams[tenant, name] = StreamId(tenant, name)
        events.append(
            RecordedEvent(
                position, previous, stream, revision, event_id, kind, data, metadata, at, digest
            )
        )
        previous = position
    return events
