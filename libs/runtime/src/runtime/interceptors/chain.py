"""Puts the interceptors around every servicer method, of all four kinds.

Handlers are wrapped when the server is made, not through grpc.aio's interceptors: those look up and
wrap them anew in each call, and leave parsing outside, whose errors gRPC sends to the caller as
they are. Here requests are parsed and answers serialised inside.
"""

from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Iterable, Sequence
from contextlib import AbstractAsyncContextManager, AsyncExitStack, aclosing, asynccontextmanager
from dataclasses import replace
from typing import Any, TypeAlias

import grpc
from google.protobuf.message import DecodeError, Message

from runtime.interceptors.call import IncomingCall, Interceptor
from runtime.interceptors.servicer_context import ServicerContext
from runtime.refusal import Refused, field_invalid
from runtime.served_method import ServedMethod, Servicing

_Context = grpc.aio.ServicerContext[Any, Any]
_Enter = Callable[[_Context], AbstractAsyncContextManager[None]]
_Parse = Callable[[bytes], Message]
_Handler: TypeAlias = "grpc.RpcMethodHandler[Any, Any]"


class Handlers(grpc.GenericRpcHandler):
    """All methods of a server, wrapped; any other method is answered METHOD_UNKNOWN."""

    def __init__(
        self,
        methods: Iterable[ServedMethod],
        interceptors: Sequence[Interceptor],
        infrastructure: Sequence[Interceptor],
        largest_message: int,
    ) -> None:
        self._infrastructure = infrastructure
        self._handlers = {
            method.path: _wrapped(
                method.servicing if not method.action else _guarded(method.servicing),
                _entering(method, interceptors if method.action else infrastructure),
                _parser(method.servicing, largest_message),
            )
            for method in methods
        }

    def service(self, handler_call_details: grpc.HandlerCallDetails) -> _Handler:
        """Give the handler of a method's path."""
        path = str(handler_call_details.method)
        return self._handlers.get(path) or _unknown(path, self._infrastructure)


def _wrapped(servicing: Servicing, enter: _Enter, parse: _Parse) -> _Handler:
    serve = _one_answer(servicing, enter, parse)
    if servicing.answers_stream:
        serve = _many_answers(servicing, enter, parse)
    match servicing.requests_stream, servicing.answers_stream:
        case False, False:
            return grpc.unary_unary_rpc_method_handler(serve)
        case True, False:
            return grpc.stream_unary_rpc_method_handler(serve)
        case False, True:
            return grpc.unary_stream_rpc_method_handler(serve, None, servicing.serialize)
        case _:
            return grpc.stream_stream_rpc_method_handler(serve, None, servicing.serialize)


def _guarded(servicing: Servicing) -> Servicing:
    """Hide from a servicer what would send its own text to the caller."""
    function = servicing.function
    return replace(
        servicing, function=lambda request, context: function(request, ServicerContext(context))
    )


def _one_answer(servicing: Servicing, enter: _Enter, parse: _Parse) -> Any:  # noqa: ANN401  gRPC's types know no coroutines
    async def serve(raw: Any, context: _Context) -> bytes:  # noqa: ANN401  bytes or an iterator of them
        async with enter(context), _request(raw, parse) as request:
            return servicing.serialize(await servicing.function(request, context))

    return serve


def _many_answers(servicing: Servicing, enter: _Enter, parse: _Parse) -> Any:  # noqa: ANN401  gRPC's types know no coroutines
    async def serve(raw: Any, context: _Context) -> None:  # noqa: ANN401  bytes or an iterator of them
        async with enter(context), _request(raw, parse) as request:
            await _send(servicing.function(request, context), context)

    return serve


@asynccontextmanager
async def _request(
    raw: bytes | AsyncIterator[bytes], parse: _Parse
) -> AsyncIterator[Message | AsyncIterator[Message]]:
    """Give the request parsed, or an iterator that parses each message of a stream."""
    if isinstance(raw, bytes):
        yield parse(raw)
        return
    async with aclosing(_parsed(raw, parse)) as messages:
        yield messages


async def _parsed(raw: AsyncIterator[bytes], parse: _Parse) -> AsyncGenerator[Message, None]:
    async for message in raw:
        yield parse(message)


async def _send(answers: AsyncIterator[Message] | Awaitable[None], context: _Context) -> None:
    """Send what a servicer yields; one that writes to the context by itself is awaited."""
    if isinstance(answers, Awaitable):
        await answers
        return
    async with AsyncExitStack() as stack:
        if isinstance(answers, AsyncGenerator):
            await stack.enter_async_context(aclosing(answers))
        async for answer in answers:
            await context.write(answer)


def _unknown(path: str, infrastructure: Sequence[Interceptor]) -> _Handler:
    """Answer a method that is not served, whatever its kind."""

    async def refuse(_request: object, _context: object) -> None:
        raise Refused("METHOD_UNKNOWN")

    servicing = Servicing(refuse, True, True, _no_message, _no_bytes)
    method = ServedMethod(path, "", discloses=False, anonymous=True, servicing=servicing)
    return _wrapped(servicing, _entering(method, infrastructure), _no_message)


def _no_message(_: bytes) -> Message:
    raise Refused("METHOD_UNKNOWN")


def _no_bytes(_: Message) -> bytes:
    raise Refused("METHOD_UNKNOWN")


def _entering(method: ServedMethod, interceptors: Sequence[Interceptor]) -> _Enter:
    @asynccontextmanager
    async def enter(context: _Context) -> AsyncIterator[None]:
        call = IncomingCall(method, context, tuple(context.invocation_metadata() or ()))
        async with AsyncExitStack() as stack:
            for interceptor in interceptors:
                await stack.enter_async_context(interceptor(call))
            yield

    return enter


def _parser(servicing: Servicing, largest: int) -> _Parse:
    def parse(raw: bytes) -> Message:
        if len(raw) > largest:
            raise Refused("MESSAGE_TOO_LARGE", metadata={"max_bytes": str(largest)})
        try:
            return servicing.parse(raw)
        except DecodeError:
            raise field_invalid("", "the bytes are no message of the method's type") from None

    return parse
