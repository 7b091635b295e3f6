"""What spans and durations say of a call, the same on both of its sides."""

import time
from dataclasses import dataclass
from typing import Final

import grpc
from opentelemetry.metrics import Histogram
from opentelemetry.propagators.textmap import TextMapPropagator
from opentelemetry.trace import Span, StatusCode
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

from runtime.telemetry import names

PROPAGATOR: Final[TextMapPropagator] = TraceContextTextMapPropagator()
TRACE_KEYS: Final = ("traceparent", "tracestate")
SERVER_FAULTS: Final = frozenset(
    {
        grpc.StatusCode.UNKNOWN,
        grpc.StatusCode.DEADLINE_EXCEEDED,
        grpc.StatusCode.UNIMPLEMENTED,
        grpc.StatusCode.INTERNAL,
        grpc.StatusCode.UNAVAILABLE,
        grpc.StatusCode.DATA_LOSS,
    }
)
"""Codes that make a server's span an error, by the semantic conventions."""


def span_attributes(method: str) -> dict[str, str]:
    return {names.RPC_SYSTEM: "grpc", names.RPC_METHOD: method}


@dataclass(slots=True)
class CallOutcome:
    """How a call ended. `reason` is careline's, empty when there is none."""

    code: grpc.StatusCode = grpc.StatusCode.OK
    reason: str = ""

    def describe(self, span: Span, *, faulty: bool) -> None:
        span.set_attribute(names.RPC_STATUS, self.code.name)
        if self.code is not grpc.StatusCode.OK:
            span.set_attribute(names.ERROR_TYPE, self.reason or self.code.name)
        if faulty:
            span.set_status(StatusCode.ERROR)


class CallDurations:
    """The required duration histogram of one side."""

    def __init__(self, histogram: Histogram) -> None:
        self._histogram = histogram

    def record(self, started: float, method: str, outcome: CallOutcome) -> None:
        """Record seconds since `started` on the performance counter."""
        attributes = {**span_attributes(method), names.RPC_STATUS: outcome.code.name}
        if outcome.code is not grpc.StatusCode.OK:
            attributes[names.ERROR_TYPE] = outcome.reason or outcome.code.name
        self._histogram.record(time.perf_counter() - started, attributes)
