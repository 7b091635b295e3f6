"""LogService: the log of the service that answers, sealed as it is stored, page by page."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import aclosing
from dataclasses import dataclass, field
from typing import Any, Final, Protocol

import grpc
from careline.log.v1 import log_service_pb2 as api
from careline.log.v1 import log_service_pb2_grpc as api_grpc
from eventstore.as_of import AsOf
from eventstore.event import RecordedEvent
from eventstore.event_log import EventLog, Head, Page
from eventstore.stream_id import StreamId

from runtime.log_event import to_proto
from runtime.moment import as_of_in
from runtime.refusal import field_invalid
from runtime.request_context import RequestContext, current_request
from runtime.tenant import ALL_TENANTS

_PAGE_EVENTS: Final = 500
_PAGE_BYTES: Final = 512 * 1024
_HEARTBEAT_SECONDS: Final = 10.0


class LogReadRecord(Protocol):
    """Remembers who read the log."""

    async def log_read(self, request: RequestContext, after_position: int, stream: str) -> None: ...


@dataclass(frozen=True, slots=True)
class _Wanted:
    """What a request asked for, checked."""

    tenant: str
    after: int
    until: int
    stream: StreamId | None
    as_of: AsOf | None

    def admits(self, event: RecordedEvent) -> bool:
        if self.stream is not None:
            return event.stream == self.stream
        return self.tenant in (ALL_TENANTS, event.stream.tenant)


class LogApi(api_grpc.LogServiceServicer):
    """Serves a log; a caller sees the tenant that it acts for, and all only as a service.

    A page's `head_position` is as far as a reader of the pages so far has come.
    """

    def __init__(
        self,
        log: EventLog,
        record: LogReadRecord | None = None,
        *,
        heartbeat: float = _HEARTBEAT_SECONDS,
    ) -> None:
        self._log = log
        self._record = record
        self._heartbeat = heartbeat

    async def ReadLog(  # noqa: N802  gRPC's name
        self,
        request: api.ReadLogRequest,
        _context: grpc.aio.ServicerContext[Any, Any],
    ) -> AsyncGenerator[api.ReadLogResponse, None]:
        wanted = await _wanted(request, self._log)
        if self._record is not None:
            await self._record.log_read(current_request(), wanted.after, request.stream)
        pages = self._followed(wanted) if request.follow else self._read(wanted)
        async with aclosing(pages):
            async for page in pages:
                yield page

    async def GetHead(  # noqa: N802  gRPC's name
        self,
        _request: api.GetHeadRequest,
        _context: grpc.aio.ServicerContext[Any, Any],
    ) -> api.GetHeadResponse:
        head = await self._log.head()
        return api.GetHeadResponse(epoch=head.epoch, position=head.position)

    async def _read(self, wanted: _Wanted) -> AsyncGenerator[api.ReadLogResponse, None]:
        """Give what is complete now, at least one page, the last one up to the end asked for."""
        head = await self._log.head()
        end = Head(head.epoch, min(wanted.until or head.position, head.position))
        batch = _Batch()
        async with aclosing(self._events(wanted, end.position)) as events:
            async for event in events:
                if batch.add(event):
                    yield batch.page(Head(end.epoch, event.position))
                    batch = _Batch()
        yield batch.page(Head(end.epoch, max(end.position, wanted.after)))

    async def _events(self, wanted: _Wanted, until: int) -> AsyncGenerator[RecordedEvent, None]:
        source = (
            self._log.read_log(after=wanted.after, until=until)
            if wanted.stream is None
            else self._log.read_stream(wanted.stream, as_of=wanted.as_of)
        )
        async for event in source:
            if wanted.after < event.position <= until and wanted.admits(event):
                yield event

    async def _followed(self, wanted: _Wanted) -> AsyncGenerator[api.ReadLogResponse, None]:
        """Give pages without end, or up to `until`; an empty one when nothing comes for a while."""
        async with aclosing(_with_pauses(self._log, wanted.after, self._heartbeat)) as pages:
            async for page in pages:
                until = wanted.until or page.position
                batch = _Batch()
                for event in page.events:
                    if event.position > until or not wanted.admits(event):
                        continue
                    if batch.add(event):
                        yield batch.page(Head(page.head.epoch, event.position))
                        batch = _Batch()
                reached = max(min(page.position, until), wanted.after)
                yield batch.page(Head(page.head.epoch, reached))
                if wanted.until and page.position >= wanted.until:
                    return


@dataclass(slots=True)
class _Batch:
    """Events of one page so far."""

    events: list[RecordedEvent] = field(default_factory=list)
    size: int = 0

    def add(self, event: RecordedEvent) -> bool:
        """Take an event and tell whether the page is full."""
        self.events.append(event)
        self.size += len(event.data)
        return len(self.events) >= _PAGE_EVENTS or self.size >= _PAGE_BYTES

    def page(self, head: Head) -> api.ReadLogResponse:
        return api.ReadLogResponse(
            epoch=head.epoch, events=map(to_proto, self.events), head_position=head.position
        )


async def _with_pauses(
    log: EventLog, after: int, longest_pause: float
) -> AsyncGenerator[Page, None]:
    """Subscribe, and repeat the head as an empty page after each pause."""
    subscription = log.subscribe(after=after)
    last = Page((), await log.head())
    coming = asyncio.ensure_future(anext(subscription))
    try:
        while True:
            await asyncio.wait({coming}, timeout=longest_pause)
            if coming.done():
                last = coming.result()
                coming = asyncio.ensure_future(anext(subscription))
                yield last
            else:
                yield Page((), Head(last.head.epoch, last.position))
    finally:
        coming.cancel()
        await asyncio.wait({coming})
        if isinstance(subscription, AsyncGenerator):
            await subscription.aclose()


async def _wanted(request: api.ReadLogRequest, log: EventLog) -> _Wanted:
    tenant = current_request().tenant
    if request.after_position < 0:
        raise field_invalid("after_position", "a position, from 0")
    if request.until_position < 0:
        raise field_invalid("until_position", "a position, or 0 for the end")
    stream = None
    if request.stream:
        if tenant == ALL_TENANTS:
            raise field_invalid("stream", "a stream of one tenant, named in careline-tenant")
        try:
            stream = StreamId(tenant, request.stream)
        except ValueError:
            raise field_invalid("stream", 'a stream name, as "conversations/0197..."') from None
    as_of = await as_of_in(request.as_of, log)
    if as_of is not None and (stream is None or request.until_position or request.follow):
        raise field_invalid("as_of", "a moment of one stream, without until_position and follow")
    return _Wanted(tenant, request.after_position, request.until_position, stream, as_of)
