"""An event log whose appends are spans."""

from collections.abc import AsyncIterator, Collection, Sequence
from uuid import UUID

from eventstore.as_of import AsOf
from eventstore.durability import Durability
from eventstore.event import RecordedEvent
from eventstore.event_log import Appended, EventLog, Head, Page, Write
from eventstore.stream_id import StreamId
from opentelemetry.trace import SpanKind, StatusCode, Tracer

from runtime.incident import type_name
from runtime.telemetry import names


class TracedLog:
    """Does what the log does; an append becomes a child of the span that is current."""

    def __init__(self, log: EventLog, tracer: Tracer) -> None:
        self._log = log
        self._tracer = tracer

    async def append(self, *writes: Write, durability: Durability = Durability.LOCAL) -> Appended:
        events = [event for write in writes for event in write.events]
        with self._tracer.start_as_current_span(
            "append",
            kind=SpanKind.INTERNAL,
            attributes={
                names.TENANT: writes[0].stream.tenant if writes else "",
                names.STREAM: writes[0].stream.name if writes else "",
                names.EVENT_TYPE: events[0].type if events else "",
                names.EVENTS: len(events),
            },
            record_exception=False,
            set_status_on_exception=False,
        ) as span:
            try:
                appended = await self._log.append(*writes, durability=durability)
            except Exception as error:
                span.set_attribute(names.ERROR_TYPE, type_name(error))
                span.set_status(StatusCode.ERROR)
                raise
            span.set_attribute(names.POSITION, appended.position)
            span.set_attribute(names.DUPLICATE, appended.duplicate)
            return appended

    async def recall(self, event_ids: Sequence[UUID]) -> list[RecordedEvent]:
        return await self._log.recall(event_ids)

    def read_stream(
        self,
        stream: StreamId,
        *,
        from_revision: int = 0,
        as_of: AsOf | None = None,
        backwards: bool = False,
        limit: int | None = None,
    ) -> AsyncIterator[RecordedEvent]:
        return self._log.read_stream(
            stream, from_revision=from_revision, as_of=as_of, backwards=backwards, limit=limit
        )

    def read_log(
        self,
        *,
        after: int = 0,
        until: int | None = None,
        backwards: bool = False,
        limit: int | None = None,
        types: Collection[str] | None = None,
    ) -> AsyncIterator[RecordedEvent]:
        return self._log.read_log(
            after=after, until=until, backwards=backwards, limit=limit, types=types
        )

    async def head(self) -> Head:
        return await self._log.head()

    def subscribe(self, *, after: int, types: Collection[str] | None = None) -> AsyncIterator[Page]:
        return self._log.subscribe(after=after, types=types)
