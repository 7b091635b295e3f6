"""What every outgoing call carries: token, tenant, purpose, caller's assertion, deadline, trace."""

import asyncio
import time
from dataclasses import dataclass
from typing import Final, Protocol

import grpc
from opentelemetry.semconv._incubating.metrics.rpc_metrics import create_rpc_client_call_duration
from opentelemetry.trace import Span, SpanKind, set_span_in_context

from runtime.metadata_keys import ASSERTION, AUTHORIZATION, PURPOSE, TENANT
from runtime.request_context import request_or_none
from runtime.telemetry.rpc import PROPAGATOR, CallDurations, CallOutcome, span_attributes
from runtime.telemetry.telemetry import Telemetry
from runtime.tenant import is_tenant

_SHARE_OF_DEADLINE: Final = 0.9


class TokenSource(Protocol):
    """Gives the token to call with: ServiceToken, or what a frontend signed in for."""

    async def token(self) -> str: ...


@dataclass(frozen=True, slots=True)
class CallFor:
    """What a call is made for where no request is being served: a reaction, a frontend."""

    tenant: str = ""
    purpose: str = ""
    caller_assertion: str = ""


class Outgoing:
    """Prepares calls and traces them.

    Tenant, purpose and assertion are the current request's, else those of `default`. A call gets
    its own timeout or `timeout`, and no more than what is left of the request's deadline less a
    tenth. `names_tenant`: only services and operators name one.
    """

    def __init__(
        self,
        token: TokenSource | None,
        telemetry: Telemetry,
        *,
        default: CallFor | None = None,
        names_tenant: bool = True,
        timeout: float = 10.0,
        stream_timeout: float = 3600.0,
    ) -> None:
        self._token = token
        self._tracer = telemetry.tracer
        self._durations = CallDurations(create_rpc_client_call_duration(telemetry.meter))
        self._default = default or CallFor()
        self._names_tenant = names_tenant
        self._timeout = timeout
        self._stream_timeout = stream_timeout
        self._finishing: set[asyncio.Task[None]] = set()

    async def prepared(
        self, details: grpc.aio.ClientCallDetails, span: Span, *, streams: bool
    ) -> grpc.aio.ClientCallDetails:
        """Add what a call carries; what its caller set by himself stays."""
        metadata = grpc.aio.Metadata(*(details.metadata or ()))
        own = {key for key, _ in metadata}
        for key, value in (await self._carried(span)).items():
            if value and key not in own:
                metadata.add(key, value)
        return grpc.aio.ClientCallDetails(
            details.method,
            self._limited(details.timeout, streams=streams),
            metadata,
            details.credentials,
            details.wait_for_ready,
        )

    def span(self, method: str) -> Span:
        return self._tracer.start_span(method, None, SpanKind.CLIENT, span_attributes(method))

    def finish_with(self, call: grpc.aio.Call, span: Span, method: str) -> None:
        """End the span when the call ends."""
        started = time.perf_counter()

        def ended(_: object) -> None:
            task = asyncio.ensure_future(self._finish(call, span, method, started))
            self._finishing.add(task)
            task.add_done_callback(self._finishing.discard)

        call.add_done_callback(ended)

    def failed(self, span: Span) -> None:
        """End the span of a call that was never made."""
        CallOutcome(grpc.StatusCode.UNAUTHENTICATED).describe(span, faulty=True)
        span.end()

    async def _finish(self, call: grpc.aio.Call, span: Span, method: str, started: float) -> None:
        outcome = CallOutcome(await call.code())
        outcome.describe(span, faulty=outcome.code is not grpc.StatusCode.OK)
        span.end()
        self._durations.record(started, method, outcome)

    async def _carried(self, span: Span) -> dict[str, str]:
        request = request_or_none()
        call_for = self._default
        if request is not None:
            call_for = CallFor(request.tenant, request.purpose or "", request.caller_assertion)
        carried: dict[str, str] = {}
        PROPAGATOR.inject(carried, set_span_in_context(span))
        if self._token is not None:
            carried[AUTHORIZATION] = f"Bearer {await self._token.token()}"
        if self._names_tenant and is_tenant(call_for.tenant):
            carried[TENANT] = call_for.tenant
        carried[PURPOSE] = call_for.purpose
        carried[ASSERTION] = call_for.caller_assertion
        return carried

    def _limited(self, timeout: float | None, *, streams: bool) -> float:
        wanted = timeout or (self._stream_timeout if streams else self._timeout)
        request = request_or_none()
        return wanted if request is None else min(wanted, request.remaining() * _SHARE_OF_DEADLINE)
