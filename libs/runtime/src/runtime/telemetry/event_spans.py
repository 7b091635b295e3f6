"""Spans of an event's way through relay and consumers, in the trace of the call that caused it."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass

from eventstore.event import RecordedEvent
from messaging.headers import trace_of
from messaging.names import stream_name
from messaging.received_event import ReceivedEvent
from opentelemetry.context import Context
from opentelemetry.trace import Span, SpanKind, StatusCode, Tracer

from runtime.incident import type_name
from runtime.telemetry import names
from runtime.telemetry.rpc import PROPAGATOR


@dataclass(frozen=True, slots=True)
class EventSpans:
    """The hooks that messaging's Relay and Consumer take as `around`."""

    tracer: Tracer
    service: str

    @asynccontextmanager
    async def sending(self, events: Sequence[RecordedEvent]) -> AsyncIterator[None]:
        """Span the sending of a run: one producer span an event, for each is of its own trace."""
        spans = [self._sends(event) for event in events]
        try:
            yield
        except BaseException as error:
            for span in spans:
                _fail(span, error)
            raise
        finally:
            for span in spans:
                span.end()

    @asynccontextmanager
    async def processing(
        self, event: ReceivedEvent, consumer: str
    ) -> AsyncIterator[dict[str, str]]:
        """Span the handling of an event, current for what it does; gives its W3C trace context."""
        destination = stream_name(event.source)
        with self.tracer.start_as_current_span(
            f"process {destination}",
            _context(event.traceparent, event.tracestate),
            SpanKind.CONSUMER,
            {
                **_attributes("process", destination, event),
                names.MESSAGING_CONSUMER: consumer,
                names.POSITION: event.position,
            },
            record_exception=False,
            set_status_on_exception=False,
        ) as span:
            carrier: dict[str, str] = {}
            PROPAGATOR.inject(carrier)
            try:
                yield carrier
            except BaseException as error:
                _fail(span, error)
                raise

    def _sends(self, event: RecordedEvent) -> Span:
        destination = stream_name(self.service)
        return self.tracer.start_span(
            f"send {destination}",
            _context(*trace_of(event.metadata)),
            SpanKind.PRODUCER,
            {**_attributes("send", destination, event), names.POSITION: event.position},
        )


def _context(traceparent: str, tracestate: str) -> Context:
    return PROPAGATOR.extract({"traceparent": traceparent, "tracestate": tracestate}, Context())


def _attributes(
    operation: str, destination: str, event: RecordedEvent | ReceivedEvent
) -> dict[str, str]:
    return {
        names.MESSAGING_SYSTEM: "nats",
        names.MESSAGING_OPERATION: operation,
        names.MESSAGING_OPERATION_TYPE: operation,
        names.MESSAGING_DESTINATION: destination,
        names.MESSAGING_ID: str(event.id),
        names.EVENT_TYPE: event.type,
        names.TENANT: event.stream.tenant,
        names.STREAM: event.stream.name,
    }


def _fail(span: Span, error: BaseException) -> None:
    span.set_attribute(names.ERROR_TYPE, type_name(error))
    span.set_status(StatusCode.ERROR)
