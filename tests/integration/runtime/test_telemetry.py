"""Spans, durations and log lines of calls: what they say and what they never say."""

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Any

import grpc
import pytest
from integration.runtime.probe.api import SERVICE, Answer, Request
from integration.runtime.rig import Rig, eventually
from opentelemetry.sdk.metrics.export import HistogramDataPoint
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.trace import SpanKind, StatusCode
from runtime.refusal import Refused

CANARY = "Jane Doe 12345678"
ONE = f"{SERVICE}/One"


def _spans(rig: Rig, kind: SpanKind) -> list[ReadableSpan]:
    return [span for span in rig.spans.get_finished_spans() if span.kind is kind]


async def _settled(rig: Rig, calls: int = 1) -> None:
    """Wait for the spans of both sides, which end just after their calls."""

    async def settled() -> bool:
        return all(len(_spans(rig, kind)) >= calls for kind in (SpanKind.CLIENT, SpanKind.SERVER))

    await eventually(settled)


async def test_one_trace_runs_through_both_sides_of_a_call(rig: Rig) -> None:
    await (await rig.stub()).one(Request())
    await _settled(rig)

    (client,), (server,) = _spans(rig, SpanKind.CLIENT), _spans(rig, SpanKind.SERVER)
    assert client.context is not None
    assert server.context is not None
    assert server.parent is not None
    assert server.context.trace_id == client.context.trace_id
    assert server.parent.span_id == client.context.span_id
    assert client.name == server.name == ONE
    assert dict(server.attributes or {}) == {
        "rpc.system.name": "grpc",
        "rpc.method": ONE,
        "rpc.response.status_code": "OK",
        "careline.tenant": "demo",
        "careline.action": "probe.one",
    }
    assert server.status.status_code is StatusCode.UNSET


async def test_a_call_made_while_serving_belongs_to_the_same_trace(rig: Rig) -> None:
    stub = await rig.stub()

    async def one(request: Request) -> Answer:
        if request.after_position:
            await stub.one(Request())
        return Answer()

    rig.api.one = one
    await stub.one(Request(after_position=1))
    await _settled(rig, 2)

    traces = {span.context.trace_id for span in rig.spans.get_finished_spans() if span.context}
    assert len(rig.spans.get_finished_spans()) == 4
    assert len(traces) == 1


@pytest.mark.parametrize(
    ("error", "code", "error_type", "status"),
    [
        (ValueError(CANARY), "INTERNAL", "INTERNAL", StatusCode.ERROR),
        (Refused("OFFER_GONE"), "FAILED_PRECONDITION", "OFFER_GONE", StatusCode.UNSET),
        (
            Refused("DEPENDENCY_UNAVAILABLE"),
            "UNAVAILABLE",
            "DEPENDENCY_UNAVAILABLE",
            StatusCode.ERROR,
        ),
    ],
)
async def test_a_failed_call_says_how_it_failed(
    rig: Rig, error: Exception, code: str, error_type: str, status: StatusCode
) -> None:
    async def one(_: Request) -> Answer:
        raise error

    rig.api.one = one
    with pytest.raises(grpc.aio.AioRpcError):
        await (await rig.stub()).one(Request())
    await _settled(rig)

    server = _spans(rig, SpanKind.SERVER)[0]
    assert server.attributes is not None
    assert server.attributes["rpc.response.status_code"] == code
    assert server.attributes["error.type"] == error_type
    assert server.status.status_code is status
    assert server.events == ()
    client = _spans(rig, SpanKind.CLIENT)[0]
    assert client.attributes is not None
    assert client.attributes["rpc.response.status_code"] == code
    assert client.status.status_code is StatusCode.ERROR


async def test_a_stream_has_one_span_that_ends_with_it(rig: Rig) -> None:
    go_on = asyncio.Event()

    async def many(_: Request) -> AsyncIterator[Answer]:
        yield Answer()
        await go_on.wait()
        yield Answer()

    rig.api.many = many
    call = (await rig.stub()).answers(Request())
    await call.read()
    assert rig.spans.get_finished_spans() == ()
    go_on.set()
    await call.read()
    await call.read()
    await _settled(rig)

    assert [span.name for span in _spans(rig, SpanKind.SERVER)] == [f"{SERVICE}/Answers"]


async def test_a_cancelled_stream_is_told_as_cancelled(rig: Rig) -> None:
    async def many(_: Request) -> AsyncIterator[Answer]:
        yield Answer()
        await asyncio.Event().wait()

    rig.api.many = many
    call = (await rig.stub()).answers(Request())
    await call.read()
    call.cancel()
    await _settled(rig)

    for span in rig.spans.get_finished_spans():
        assert span.attributes is not None
        assert span.attributes["rpc.response.status_code"] == "CANCELLED"


async def test_attributes_events_and_texts_that_are_not_listed_do_not_leave(rig: Rig) -> None:
    with rig.telemetry.tracer.start_as_current_span("work") as span:
        span.set_attribute("patient.name", CANARY)
        span.set_attribute("careline.tenant", "demo")
        span.add_event("looked", {"patient.name": CANARY})
        span.record_exception(ValueError(CANARY))
        span.set_status(StatusCode.ERROR, CANARY)

    (exported,) = rig.spans.get_finished_spans()
    assert dict(exported.attributes or {}) == {"careline.tenant": "demo"}
    assert CANARY not in exported.to_json()


async def test_durations_are_measured_on_both_sides_by_method_and_outcome(rig: Rig) -> None:
    async def one(_: Request) -> Answer:
        raise Refused("OFFER_GONE")

    stub = await rig.stub()
    await stub.one(Request())
    rig.api.one = one
    with pytest.raises(grpc.aio.AioRpcError):
        await stub.one(Request())
    await _settled(rig, 2)

    points = _histograms(rig)
    for name in ("rpc.server.call.duration", "rpc.client.call.duration"):
        outcomes = {
            str(point.attributes["rpc.response.status_code"]): point.count
            for point in points[name]
            if point.attributes
        }
        assert outcomes == {"OK": 1, "FAILED_PRECONDITION": 1}


def _histograms(rig: Rig) -> dict[str, list[HistogramDataPoint]]:
    data = rig.metrics.get_metrics_data()
    assert data is not None
    found: dict[str, list[HistogramDataPoint]] = {}
    for resource in data.resource_metrics:
        for scope in resource.scope_metrics:
            for metric in scope.metrics:
                points: Any = metric.data.data_points
                found[metric.name] = list(points)
    return found


async def test_the_log_line_of_an_incident_belongs_to_the_calls_trace(rig: Rig) -> None:
    async def one(_: Request) -> Answer:
        raise ValueError(CANARY)

    rig.api.one = one
    with pytest.raises(grpc.aio.AioRpcError):
        await (await rig.stub()).one(Request())

    (line,) = [json.loads(line) for line in rig.log.getvalue().splitlines()]
    (server,) = _spans(rig, SpanKind.SERVER)
    assert server.context is not None
    assert line["trace_id"] == f"{server.context.trace_id:032x}"
    assert line["span_id"] == f"{server.context.span_id:016x}"
    assert line["during"] == ONE
    assert line["error"] == "ValueError"
    assert any(frame.endswith(" one") for frame in line["frames"])
