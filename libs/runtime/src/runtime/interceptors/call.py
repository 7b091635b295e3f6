"""A call on its way through the interceptors."""

from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from typing import Any

import grpc
from opentelemetry.trace import INVALID_SPAN_CONTEXT, SpanContext

from runtime.principal import Principal
from runtime.refusal import Refused
from runtime.served_method import ServedMethod


@dataclass(slots=True)
class IncomingCall:
    """One call: what it brought, and what the interceptors found out so far."""

    method: ServedMethod
    context: grpc.aio.ServicerContext[Any, Any]
    metadata: tuple[tuple[str, str | bytes], ...]
    deadline: float = 0.0
    principal: Principal | None = None
    tenant: str = ""
    span: SpanContext = INVALID_SPAN_CONTEXT
    carrier: dict[str, str] = field(default_factory=dict)
    """The W3C trace context of the server's span."""

    def text(self, key: str, twice: str) -> str | None:
        """Give a metadata value; one that came twice is refused for the reason `twice`."""
        values = [value for name, value in self.metadata if name == key]
        if len(values) > 1 or any(isinstance(value, bytes) for value in values):
            raise Refused(twice)
        return str(values[0]) if values else None


Interceptor = Callable[[IncomingCall], AbstractAsyncContextManager[None]]
"""Entered before the servicer, left after its last message; raises Refused to end the call."""
