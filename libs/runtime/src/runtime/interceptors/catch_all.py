"""Outermost: every exception becomes a status of ours; gRPC would send its text."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import grpc
from opentelemetry.trace import NonRecordingSpan, use_span

from runtime.errors import abort_with_status, internal, refusal_of
from runtime.incident import record_incident
from runtime.interceptors.call import IncomingCall


@asynccontextmanager
async def catch_all(call: IncomingCall) -> AsyncIterator[None]:
    """Answer foreseen errors by their reason and all others by an incident id."""
    try:
        yield
    except grpc.aio.AbortError:
        raise
    except Exception as error:  # noqa: BLE001  the one place that must catch whatever comes
        refused = refusal_of(error)
        if refused is None:
            with use_span(NonRecordingSpan(call.span)):
                refused = internal(record_incident(error, call.method.name))
    else:
        return
    await abort_with_status(call.context, refused)
