"""A service with a method of each kind, made of careline.log.v1's messages; no proto file."""

from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any, TypeAlias

import grpc
from careline.log.v1 import log_service_pb2 as api
from careline.options.v1 import options_pb2
from google.protobuf import descriptor_pb2, descriptor_pool

PACKAGE = "careline.probe.v1"
SERVICE = f"{PACKAGE}.ProbeService"
# name: (requests stream, answers stream, discloses, anonymous)
METHODS = {
    "One": (False, False, False, False),
    "Answers": (False, True, False, False),
    "Requests": (True, False, False, False),
    "Both": (True, True, False, False),
    "Disclose": (False, False, True, False),
    "SignIn": (False, False, False, True),
    "Nameless": (False, False, False, False),
}
POLICIES = Path(__file__).with_name("policies.cedar").read_text()


def _declare() -> None:
    file = descriptor_pb2.FileDescriptorProto(
        name="careline/probe/v1/probe_service.proto",
        package=PACKAGE,
        syntax="proto3",
        dependency=[
            "careline/log/v1/log_service.proto",
            "careline/options/v1/options.proto",
        ],
    )
    service = file.service.add(name="ProbeService")
    for name, (requests, answers, discloses, anonymous) in METHODS.items():
        method = service.method.add(
            name=name,
            input_type=".careline.log.v1.ReadLogRequest",
            output_type=".careline.log.v1.ReadLogResponse",
            client_streaming=requests,
            server_streaming=answers,
        )
        if name != "Nameless":
            method.options.Extensions[options_pb2.action].CopyFrom(
                options_pb2.Action(
                    name=f"probe.{name[0].lower()}{name[1:]}",
                    discloses=discloses,
                    anonymous=anonymous,
                )
            )
    descriptor_pool.Default().Add(file)


_declare()

Request = api.ReadLogRequest
Answer = api.ReadLogResponse
Raw: TypeAlias = grpc.aio.UnaryUnaryMultiCallable[bytes, bytes]
One = Callable[[Request], Awaitable[Answer]]


class ProbeApi:
    """Does what a test tells it to: `one` for methods with one answer, `many` for the others."""

    def __init__(self) -> None:
        self.one: One = self._head
        self.many: Callable[[Request], AsyncIterator[Answer]] = self._count
        self.seen: list[Request] = []
        self.context: Any = None

    async def single(self, request: Request, context: object) -> Answer:
        self.seen.append(request)
        self.context = context
        return await self.one(request)

    async def answers(self, request: Request, _: object) -> AsyncIterator[Answer]:
        self.seen.append(request)
        async for answer in self.many(request):
            yield answer

    async def requests(self, requests: AsyncIterator[Request], _: object) -> Answer:
        async for request in requests:
            self.seen.append(request)
        return await self.one(self.seen[-1])

    async def both(self, requests: AsyncIterator[Request], _: object) -> AsyncIterator[Answer]:
        async for request in requests:
            self.seen.append(request)
            async for answer in self.many(request):
                yield answer

    async def _head(self, request: Request) -> Answer:
        return Answer(head_position=request.after_position)

    async def _count(self, request: Request) -> AsyncIterator[Answer]:
        for position in range(request.after_position):
            yield Answer(head_position=position)


def _handler(api: ProbeApi, name: str) -> "grpc.RpcMethodHandler[Request, Answer]":
    requests, answers, _, _ = METHODS[name]
    codec = (Request.FromString, Answer.SerializeToString)
    if requests and answers:
        return grpc.stream_stream_rpc_method_handler(api.both, *codec)
    if requests:
        return grpc.stream_unary_rpc_method_handler(api.requests, *codec)
    if answers:
        return grpc.unary_stream_rpc_method_handler(api.answers, *codec)
    return grpc.unary_unary_rpc_method_handler(api.single, *codec)


def add_probe(api: ProbeApi, server: grpc.aio.Server) -> None:
    names = [name for name in METHODS if name != "Nameless"]
    server.add_registered_method_handlers(SERVICE, {name: _handler(api, name) for name in names})


def add_nameless(api: ProbeApi, server: grpc.aio.Server) -> None:
    server.add_registered_method_handlers(SERVICE, {"Nameless": _handler(api, "Nameless")})


class ProbeStub:
    def __init__(self, channel: grpc.aio.Channel) -> None:
        codec = (Request.SerializeToString, Answer.FromString)
        self.one = channel.unary_unary(f"/{SERVICE}/One", *codec)
        self.disclose = channel.unary_unary(f"/{SERVICE}/Disclose", *codec)
        self.sign_in = channel.unary_unary(f"/{SERVICE}/SignIn", *codec)
        self.answers = channel.unary_stream(f"/{SERVICE}/Answers", *codec)
        self.requests = channel.stream_unary(f"/{SERVICE}/Requests", *codec)
        self.both = channel.stream_stream(f"/{SERVICE}/Both", *codec)
        self.raw: Raw = channel.unary_unary(f"/{SERVICE}/One")
        self.unknown: Raw = channel.unary_unary("/careline.probe.v1.ProbeService/NoSuchMethod")
