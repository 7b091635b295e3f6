"""One server span and one duration a call; the caller's trace goes on."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import grpc
from opentelemetry.semconv._incubating.metrics.rpc_metrics import create_rpc_server_call_duration
from opentelemetry.trace import Span, SpanKind

from runtime.error_answers import ERROR_ANSWERS
from runtime.errors import refusal_of
from runtime.interceptors.call import IncomingCall
from runtime.telemetry import names
from runtime.telemetry.rpc import (
    PROPAGATOR,
    SERVER_FAULTS,
    TRACE_KEYS,
    CallDurations,
    CallOutcome,
    span_attributes,
)
from runtime.telemetry.telemetry import Telemetry


class TraceCalls:
    """Makes the server's span, a child of the caller's, current for whatever the call does."""

    def __init__(self, telemetry: Telemetry) -> None:
        self._tracer = telemetry.tracer
        self._durations = CallDurations(create_rpc_server_call_duration(telemetry.meter))

    @asynccontextmanager
    async def __call__(self, call: IncomingCall) -> AsyncIterator[None]:
        started = time.perf_counter()
        outcome = CallOutcome()
        with self._tracer.start_as_current_span(
            call.method.name,
            PROPAGATOR.extract(_carrier(call)),
            SpanKind.SERVER,
            span_attributes(call.method.name),
            record_exception=False,
            set_status_on_exception=False,
        ) as span:
            call.span = span.get_span_context()
            PROPAGATOR.inject(call.carrier)
            try:
                yield
            except asyncio.CancelledError:
                outcome.code = grpc.StatusCode.CANCELLED
                raise
            except grpc.aio.AbortError:
                outcome.code = _own_code(call.context)
                raise
            except Exception as error:
                _describe_error(outcome, error)
                raise
            else:
                outcome.code = _own_code(call.context)
            finally:
                self._finish(span, call, outcome)
                self._durations.record(started, call.method.name, outcome)

    def _finish(self, span: Span, call: IncomingCall, outcome: CallOutcome) -> None:
        outcome.describe(span, faulty=outcome.code in SERVER_FAULTS)
        if call.tenant:
            span.set_attribute(names.TENANT, call.tenant)
        if call.method.action:
            span.set_attribute(names.ACTION, call.method.action)


def _carrier(call: IncomingCall) -> dict[str, str]:
    return {
        key: value for key, value in call.metadata if key in TRACE_KEYS and isinstance(value, str)
    }


def _own_code(context: grpc.aio.ServicerContext[Any, Any]) -> grpc.StatusCode:
    """Give the code that a servicer set by itself, OK if none."""
    code: object = context.code()
    return code if isinstance(code, grpc.StatusCode) else grpc.StatusCode.OK


def _describe_error(outcome: CallOutcome, error: Exception) -> None:
    refused = refusal_of(error)
    outcome.reason = "INTERNAL" if refused is None else refused.reason
    outcome.code = ERROR_ANSWERS[outcome.reason].code
