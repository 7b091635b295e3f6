"""What one request carries along: who asks, for which tenant, why, until when, in which trace."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field

from careline.log.v1.recorded_event_pb2 import EventPlace

from runtime.principal import Principal
from runtime.purpose_of_use import PurposeOfUse
from runtime.refusal import Refused


@dataclass(frozen=True, slots=True)
class RequestContext:
    """One request as the interceptors established it.

    `tenant` is a slug, or ALL_TENANTS for a service that named none. `principal` is None for
    anonymous methods. `deadline` is on the event loop's clock. `correlation_id` is UUID text.
    `cause` is where the event stands that is reacted to. `caller_assertion` is the unverified
    text that the caller sent.
    """

    action: str
    method: str
    principal: Principal | None
    tenant: str
    purpose: PurposeOfUse | None
    deadline: float
    correlation_id: str
    causation_id: str = ""
    cause: EventPlace | None = None
    traceparent: str = ""
    tracestate: str = ""
    caller_assertion: str = field(default="", repr=False)

    def remaining(self) -> float:
        """Give the seconds left until the deadline, not below 0."""
        return max(0.0, self.deadline - asyncio.get_running_loop().time())


class NoRequest(RuntimeError):
    """Something that needs a request runs outside one; enter it by `acting_in`."""


_current: ContextVar[RequestContext] = ContextVar("careline_request")


def current_request() -> RequestContext:
    """Give the request that is being served; raises NoRequest outside one."""
    request = _current.get(None)
    if request is None:
        raise NoRequest("no request is being served here; enter one by acting_in")
    return request


def calling_principal() -> Principal:
    """Give who calls; refuses where policies would let nobody without a principal get."""
    principal = current_request().principal
    if principal is None:
        raise Refused("DENIED_OR_ABSENT")
    return principal


def request_or_none() -> RequestContext | None:
    return _current.get(None)


@contextmanager
def acting_in(request: RequestContext) -> Iterator[RequestContext]:
    """Make `request` the current one within the block."""
    token = _current.set(request)
    try:
        yield request
    finally:
        _current.reset(token)
