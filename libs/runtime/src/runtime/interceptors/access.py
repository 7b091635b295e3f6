"""Whether the caller may, decided before anything in the request is looked at."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Protocol
from uuid import UUID, uuid4

from runtime.access import Access, Asking
from runtime.interceptors.call import IncomingCall
from runtime.metadata_keys import ASSERTION, PURPOSE
from runtime.purpose_of_use import PurposeOfUse
from runtime.refusal import Refused
from runtime.request_context import RequestContext, acting_in


class RefusalRecord(Protocol):
    """Remembers who was refused what."""

    async def refused(self, request: RequestContext) -> None: ...


class DecideAccess:
    """Decides by policy over action, principal, tenant and purpose, and enters the request."""

    def __init__(self, access: Access, record: RefusalRecord | None = None) -> None:
        self._access = access
        self._record = record

    @asynccontextmanager
    async def __call__(self, call: IncomingCall) -> AsyncIterator[None]:
        claimed = call.text(PURPOSE, twice="PURPOSE_OF_USE_INVALID")
        purpose = PurposeOfUse.__members__.get(claimed or "")
        request = _request(call, purpose)
        if not self._allowed(call, request):
            if self._record is not None and request.principal is not None:
                await self._record.refused(request)
            raise Refused("DENIED_OR_ABSENT")
        if claimed is not None and purpose is None:
            raise Refused("PURPOSE_OF_USE_INVALID")
        if call.method.discloses and purpose is None and not call.method.anonymous:
            raise Refused("PURPOSE_OF_USE_REQUIRED")
        with acting_in(request):
            yield

    def _allowed(self, call: IncomingCall, request: RequestContext) -> bool:
        """Decide; without a purpose, whether there is one that would do.

        So that who may not call at all is told that, and who forgot the purpose is told that.
        """
        if request.purpose is not None or not call.method.discloses:
            return self._decide(call, request, request.purpose)
        return any(self._decide(call, request, purpose) for purpose in PurposeOfUse)

    def _decide(
        self, call: IncomingCall, request: RequestContext, purpose: PurposeOfUse | None
    ) -> bool:
        asking = Asking(request.principal, request.tenant, purpose, anonymous=call.method.anonymous)
        return self._access.decide_call(asking, call.method.action).allowed


def _request(call: IncomingCall, purpose: PurposeOfUse | None) -> RequestContext:
    correlation = UUID(int=call.span.trace_id) if call.span.is_valid else uuid4()
    return RequestContext(
        action=call.method.action,
        method=call.method.name,
        principal=call.principal,
        tenant=call.tenant,
        purpose=purpose,
        deadline=call.deadline,
        correlation_id=str(correlation),
        traceparent=call.carrier.get("traceparent", ""),
        tracestate=call.carrier.get("tracestate", ""),
        caller_assertion=call.text(ASSERTION, twice="ASSERTION_INVALID") or "",
    )
