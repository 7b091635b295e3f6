"""Spans and durations as an OTLP collector receives them."""

import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import grpc
from google.protobuf.message import Message
from opentelemetry.proto.collector.metrics.v1 import metrics_service_pb2, metrics_service_pb2_grpc
from opentelemetry.proto.collector.trace.v1 import trace_service_pb2, trace_service_pb2_grpc
from opentelemetry.trace import StatusCode
from runtime.addresses import ServerUrl
from runtime.telemetry.telemetry import collected_by

CANARY = "Jane Doe 12345678"


@dataclass
class Collector(
    trace_service_pb2_grpc.TraceServiceServicer, metrics_service_pb2_grpc.MetricsServiceServicer
):
    """Takes whatever comes."""

    received: list[Message] = field(default_factory=list)

    async def Export(  # noqa: N802  gRPC's name
        self, request: Message, _: object
    ) -> Message:
        self.received.append(request)
        if isinstance(request, trace_service_pb2.ExportTraceServiceRequest):
            return trace_service_pb2.ExportTraceServiceResponse()
        return metrics_service_pb2.ExportMetricsServiceResponse()


@asynccontextmanager
async def collecting() -> AsyncIterator[tuple[Collector, ServerUrl]]:
    server, collector = grpc.aio.server(), Collector()
    add_services: list[Callable[[object, grpc.aio.Server], None]] = [
        trace_service_pb2_grpc.add_TraceServiceServicer_to_server,
        metrics_service_pb2_grpc.add_MetricsServiceServicer_to_server,
    ]
    for add in add_services:
        add(collector, server)
    port = server.add_insecure_port("127.0.0.1:0")
    await server.start()
    yield collector, ServerUrl.parse(f"http://127.0.0.1:{port}")
    await server.stop(None)


async def test_a_collector_receives_listed_attributes_and_no_texts() -> None:
    async with collecting() as (collector, endpoint):
        async with collected_by("identity", endpoint) as telemetry:
            with telemetry.tracer.start_as_current_span("work") as span:
                span.set_attribute("careline.tenant", "demo")
                span.set_attribute("patient.name", CANARY)
                span.record_exception(ValueError(CANARY))
                span.set_status(StatusCode.ERROR, CANARY)
            telemetry.meter.create_histogram("rpc.server.call.duration").record(0.1)
        text = str(collector.received)

    assert "work" in text
    assert 'string_value: "demo"' in text
    assert 'string_value: "careline"' in text
    assert "rpc.server.call.duration" in text
    assert CANARY not in text


async def test_a_collector_that_is_away_delays_the_end_by_seconds_and_no_call() -> None:
    async with collected_by("identity", ServerUrl.parse("http://127.0.0.1:9")) as telemetry:
        started = time.perf_counter()
        for _ in range(5000):
            telemetry.tracer.start_span("work").end()
        assert time.perf_counter() - started < 5
        started = time.perf_counter()

    assert time.perf_counter() - started < 15


async def test_without_a_collector_spans_have_ids_and_are_not_recorded() -> None:
    async with collected_by("identity", None) as telemetry:
        span = telemetry.tracer.start_span("work")

    assert span.get_span_context().is_valid
    assert not span.is_recording()
