"""gRPC's client interceptors, one a kind of method, all doing what Outgoing says."""

from collections.abc import AsyncIterable, Awaitable, Callable, Iterable, Sequence
from typing import Any, TypeVar

import grpc

from runtime.outgoing import Outgoing

_Request = TypeVar("_Request")
_Answer = TypeVar("_Answer")
_Requests = AsyncIterable[_Request] | Iterable[_Request]


def client_interceptors(outgoing: Outgoing) -> Sequence[grpc.aio.ClientInterceptor]:
    """Make the four interceptors, one a kind of method, that gRPC wants as classes of their own."""
    return (
        _UnaryUnary(outgoing),
        _UnaryStream(outgoing),
        _StreamUnary(outgoing),
        _StreamStream(outgoing),
    )


class _Intercepting:
    streams = True

    def __init__(self, outgoing: Outgoing) -> None:
        self._outgoing = outgoing

    async def _made(
        self,
        make: Callable[[grpc.aio.ClientCallDetails, Any], Awaitable[Any]],
        details: grpc.aio.ClientCallDetails,
        request: object,
    ) -> Any:  # noqa: ANN401  one body for calls of four kinds
        method = _name_of(details.method)
        span = self._outgoing.span(method)
        try:
            prepared = await self._outgoing.prepared(details, span, streams=self.streams)
            call = await make(prepared, request)
        except BaseException:
            self._outgoing.failed(span)
            raise
        self._outgoing.finish_with(call, span, method)
        return call


class _UnaryUnary(_Intercepting, grpc.aio.UnaryUnaryClientInterceptor):
    streams = False

    async def intercept_unary_unary(
        self,
        continuation: Callable[
            [grpc.aio.ClientCallDetails, _Request],
            Awaitable[grpc.aio.UnaryUnaryCall[_Request, _Answer]],
        ],
        client_call_details: grpc.aio.ClientCallDetails,
        request: _Request,
    ) -> grpc.aio.UnaryUnaryCall[_Request, _Answer]:
        call: grpc.aio.UnaryUnaryCall[_Request, _Answer] = await self._made(
            continuation, client_call_details, request
        )
        return call


class _UnaryStream(_Intercepting, grpc.aio.UnaryStreamClientInterceptor):
    async def intercept_unary_stream(
        self,
        continuation: Callable[
            [grpc.aio.ClientCallDetails, _Request],
            Awaitable[grpc.aio.UnaryStreamCall[_Request, _Answer]],
        ],
        client_call_details: grpc.aio.ClientCallDetails,
        request: _Request,
    ) -> grpc.aio.UnaryStreamCall[_Request, _Answer]:
        call: grpc.aio.UnaryStreamCall[_Request, _Answer] = await self._made(
            continuation, client_call_details, request
        )
        return call


class _StreamUnary(_Intercepting, grpc.aio.StreamUnaryClientInterceptor):
    async def intercept_stream_unary(
        self,
        continuation: Callable[
            [grpc.aio.ClientCallDetails, _Requests[_Request]],
            Awaitable[grpc.aio.StreamUnaryCall[_Request, _Answer]],
        ],
        client_call_details: grpc.aio.ClientCallDetails,
        request_iterator: _Requests[_Request],
    ) -> grpc.aio.StreamUnaryCall[_Request, _Answer]:
        call: grpc.aio.StreamUnaryCall[_Request, _Answer] = await self._made(
            continuation, client_call_details, request_iterator
        )
        return call


class _StreamStream(_Intercepting, grpc.aio.StreamStreamClientInterceptor):
    async def intercept_stream_stream(
        self,
        continuation: Callable[
            [grpc.aio.ClientCallDetails, _Requests[_Request]],
            Awaitable[grpc.aio.StreamStreamCall[_Request, _Answer]],
        ],
        client_call_details: grpc.aio.ClientCallDetails,
        request_iterator: _Requests[_Request],
    ) -> grpc.aio.StreamStreamCall[_Request, _Answer]:
        call: grpc.aio.StreamStreamCall[_Request, _Answer] = await self._made(
            continuation, client_call_details, request_iterator
        )
        return call


def _name_of(method: str | bytes) -> str:
    """Give the full name without the leading slash; gRPC says str and hands bytes."""
    return (method.decode() if isinstance(method, bytes) else method).lstrip("/")
