"""The OpenTelemetry SDK of one process, handed around and never global."""

import asyncio
import logging
import uuid
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass

from opentelemetry.exporter.otlp.proto.grpc.metric_exporter import OTLPMetricExporter
from opentelemetry.exporter.otlp.proto.grpc.trace_exporter import OTLPSpanExporter
from opentelemetry.metrics import Meter
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import MetricReader, PeriodicExportingMetricReader
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import SpanProcessor, TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SimpleSpanProcessor, SpanExporter
from opentelemetry.sdk.trace.sampling import ALWAYS_OFF, DEFAULT_ON
from opentelemetry.trace import Tracer

from runtime.addresses import ServerUrl
from runtime.telemetry.public_spans import PublicSpans

_log = logging.getLogger(__name__)
_FLUSH_SECONDS = 3.0
_EXPORT_SECONDS = 5


@dataclass(frozen=True, slots=True)
class Telemetry:
    """What code makes spans and measurements with."""

    tracer: Tracer
    meter: Meter


@asynccontextmanager
async def collected_by(service: str, endpoint: ServerUrl | None) -> AsyncIterator[Telemetry]:
    """Send spans and metrics to an OTLP collector; without one, keep trace ids and send nothing.

    A collector that is away costs what its bounded queue holds, never a call.
    """
    if endpoint is None:
        async with _running(service) as telemetry:
            yield telemetry
        return
    address, insecure = str(endpoint), not endpoint.encrypted
    spans = OTLPSpanExporter(address, insecure=insecure, timeout=_EXPORT_SECONDS)
    metrics = OTLPMetricExporter(address, insecure=insecure, timeout=_EXPORT_SECONDS)

    def give_up() -> None:
        spans.shutdown()
        metrics.shutdown()

    processor = BatchSpanProcessor(PublicSpans(spans))
    reader = PeriodicExportingMetricReader(metrics)
    async with _running(service, (processor,), (reader,), give_up) as telemetry:
        yield telemetry


@asynccontextmanager
async def collected_in_process(
    service: str, exporter: SpanExporter, *readers: MetricReader
) -> AsyncIterator[Telemetry]:
    """Hand spans to an exporter of the same process as they end: for tests."""
    async with _running(service, (SimpleSpanProcessor(PublicSpans(exporter)),), readers) as started:
        yield started


@asynccontextmanager
async def _running(
    service: str,
    processors: Sequence[SpanProcessor] = (),
    readers: Sequence[MetricReader] = (),
    give_up: Callable[[], None] | None = None,
) -> AsyncIterator[Telemetry]:
    resource = Resource(
        {
            "service.name": service,
            "service.namespace": "careline",
            "service.instance.id": str(uuid.uuid4()),
        }
    )
    # Nobody to send to: spans are not recorded, but their ids go on in metadata, events and logs.
    sampler = DEFAULT_ON if processors else ALWAYS_OFF
    tracers = TracerProvider(sampler, resource, shutdown_on_exit=False)
    for processor in processors:
        tracers.add_span_processor(processor)
    meters = MeterProvider(readers, resource=resource, shutdown_on_exit=False)
    try:
        yield Telemetry(tracers.get_tracer("careline"), meters.get_meter("careline"))
    finally:
        await _end(tracers, meters, give_up)


async def _end(
    tracers: TracerProvider, meters: MeterProvider, give_up: Callable[[], None] | None
) -> None:
    """Send what is left, for some seconds; then stop trying."""
    ending = {
        asyncio.create_task(asyncio.to_thread(tracers.shutdown)),
        asyncio.create_task(asyncio.to_thread(meters.shutdown)),
    }
    _, late = await asyncio.wait(ending, timeout=_FLUSH_SECONDS)
    if late and give_up is not None:
        _log.warning("the collector does not take the last spans and measurements")
        await asyncio.to_thread(give_up)
    await asyncio.gather(*ending)
