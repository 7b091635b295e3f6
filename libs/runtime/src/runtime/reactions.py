"""What surrounds a consumer's handler: the event's trace, and a request of the service's own."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final

from careline.log.v1.recorded_event_pb2 import EventMetadata, EventPlace
from messaging.handling import RetryLater
from messaging.received_event import ReceivedEvent

from runtime.errors import refusal_of
from runtime.principal import service_principal
from runtime.purpose_of_use import PurposeOfUse
from runtime.request_context import RequestContext, acting_in
from runtime.telemetry.event_spans import EventSpans

REACTION_SECONDS: Final = 30.0
_PASSES: Final = frozenset({"DEPENDENCY_UNAVAILABLE", "OVERLOADED", "CONFLICT"})


class Reaction:
    """Enters the request that the handling of an event is: the hook `around` of a Consumer.

    The service acts for the event's tenant, for the event's purpose, in the event's trace. What is
    refused only because something is away is tried again later and never becomes a dead letter.
    """

    def __init__(self, spans: EventSpans, service: str, consumer: str) -> None:
        self._spans = spans
        self._service = service
        self._consumer = consumer

    @asynccontextmanager
    async def around(self, event: ReceivedEvent) -> AsyncIterator[None]:
        async with self._spans.processing(event, self._consumer) as carrier:
            with acting_in(self._request(event, carrier)):
                try:
                    yield
                except RetryLater:
                    raise
                except Exception as error:
                    refused = refusal_of(error)
                    if refused is not None and refused.reason in _PASSES:
                        raise RetryLater(refused.reason) from error
                    raise

    def _request(self, event: ReceivedEvent, carrier: dict[str, str]) -> RequestContext:
        metadata = EventMetadata.FromString(event.metadata)
        return RequestContext(
            action=f"{self._service}.{self._consumer}",
            method=f"consumer/{self._consumer}",
            principal=service_principal(self._service),
            tenant=event.stream.tenant,
            purpose=PurposeOfUse.__members__.get(metadata.purpose_of_use),
            deadline=asyncio.get_running_loop().time() + REACTION_SECONDS,
            correlation_id=metadata.correlation_id,
            causation_id=str(event.id),
            cause=EventPlace(service=event.source, epoch=event.epoch, position=event.position),
            traceparent=carrier.get("traceparent", ""),
            tracestate=carrier.get("tracestate", ""),
        )
