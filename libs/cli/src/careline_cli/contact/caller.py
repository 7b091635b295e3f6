"""How the player calls: one principal, one trace, a deadline on every call."""

import asyncio
import secrets
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field, replace
from typing import Self, TypeVar

import grpc
from grpc import StatusCode
from runtime.new_id import new_id

_Request = TypeVar("_Request")
_Answer = TypeVar("_Answer")

CALL_SECONDS = 15.0
AWAY_SECONDS = 45.0
RETRY_SECONDS = 0.25
STREAM_SECONDS = 300.0
EXCHANGE_SECONDS = 3000.0


def new_trace() -> str:
    """Begin a W3C trace: 32 hexadecimal digits."""
    return secrets.token_hex(16)


def new_request() -> str:
    """Give a request id (UUIDv7, RFC 9562); the same id sent again is the same request."""
    return str(new_id())


@dataclass(frozen=True, slots=True)
class Caller:
    """Calls as one principal, whose current token `token` gives, within one trace.

    `tenant` is for operators, whose token may be good for several.
    """

    token: Callable[[], Awaitable[str]]
    trace: str
    tenant: str = ""
    purpose: str = ""
    assertion: str = field(default="", repr=False)

    def with_purpose(self, purpose: str, assertion: str = "") -> Self:
        """Call for a purpose of use, with what is known of the patient-side caller."""
        return replace(self, purpose=purpose, assertion=assertion)

    async def call(
        self, method: "grpc.aio.UnaryUnaryMultiCallable[_Request, _Answer]", request: _Request
    ) -> _Answer:
        """Call; a service that is away for a moment is asked again with the same request."""
        deadline = time.monotonic() + AWAY_SECONDS
        while True:
            try:
                return await method(request, timeout=CALL_SECONDS, metadata=await self._metadata())
            except grpc.aio.AioRpcError as error:
                away = error.code() in (StatusCode.UNAVAILABLE, StatusCode.DEADLINE_EXCEEDED)
                if not away or time.monotonic() > deadline:
                    raise
            await asyncio.sleep(RETRY_SECONDS)

    async def stream(
        self, method: "grpc.aio.UnaryStreamMultiCallable[_Request, _Answer]", request: _Request
    ) -> AsyncIterator[_Answer]:
        answers = method(request, timeout=STREAM_SECONDS, metadata=await self._metadata())
        async for answer in answers:
            yield answer

    async def watch(
        self, method: "grpc.aio.UnaryStreamMultiCallable[_Request, _Answer]", request: _Request
    ) -> AsyncIterator[_Answer]:
        """Receive a stream that has no end; opened anew when its service went away meanwhile."""
        away_since: float | None = None
        while True:
            try:
                async for answer in self.stream(method, request):
                    away_since = None
                    yield answer
            except grpc.aio.AioRpcError as error:
                away_since = away_since or time.monotonic()
                gone = error.code() in (StatusCode.UNAVAILABLE, StatusCode.DEADLINE_EXCEEDED)
                if not gone or time.monotonic() - away_since > AWAY_SECONDS:
                    raise
            await asyncio.sleep(RETRY_SECONDS)

    async def exchange(
        self,
        method: "grpc.aio.StreamStreamMultiCallable[_Request, _Answer]",
        requests: AsyncIterator[_Request],
    ) -> AsyncIterator[_Answer]:
        """Send a stream and receive one."""
        answers = method(requests, timeout=EXCHANGE_SECONDS, metadata=await self._metadata())
        async for answer in answers:
            yield answer

    async def _metadata(self) -> tuple[tuple[str, str], ...]:
        pairs = {
            "authorization": f"Bearer {await self.token()}",
            "traceparent": f"00-{self.trace}-{secrets.token_hex(8)}-01",
            "careline-tenant": self.tenant,
            "careline-purpose-of-use": self.purpose,
            "careline-caller-assertion": self.assertion,
        }
        return tuple((key, value) for key, value in pairs.items() if value)
