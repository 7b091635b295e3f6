"""The methods that a server serves, and what their protos say of them."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final

import grpc
from careline.options.v1 import options_pb2
from google.protobuf.descriptor_pool import Default
from google.protobuf.message import Message

AddServicer = Callable[[Any, Any], None]
"""A generated `add_…Servicer_to_server`."""
INFRASTRUCTURE: Final = ("grpc.health.v1.", "grpc.reflection.")
"""Packages whose methods take neither token nor deadline and disclose nothing."""


class ActionMissing(Exception):
    """A method has no option careline.options.v1.action, so nobody can say who may call it."""


@dataclass(frozen=True, slots=True)
class Servicing:
    """How a method is served: the function, which of its sides stream, and its messages."""

    function: Callable[..., Any]
    requests_stream: bool
    answers_stream: bool
    parse: Callable[[bytes], Message]
    serialize: Callable[[Message], bytes]


@dataclass(frozen=True, slots=True)
class ServedMethod:
    """One method. `path` is as gRPC has it, "/careline.log.v1.LogService/ReadLog".

    `action` is empty for infrastructure alone.
    """

    path: str
    action: str
    discloses: bool
    anonymous: bool
    servicing: Servicing

    @property
    def name(self) -> str:
        """The full name without the leading slash."""
        return self.path[1:]

    @property
    def streams(self) -> bool:
        return self.servicing.requests_stream or self.servicing.answers_stream


class _Recorder:
    """Stands in for a server while a generated function adds a servicer, and keeps the handlers."""

    def __init__(self) -> None:
        self.handlers: dict[str, Mapping[str, Any]] = {}

    def add_generic_rpc_handlers(self, handlers: Iterable[grpc.GenericRpcHandler]) -> None:
        """Take nothing: registered handlers say the same by name."""

    def add_registered_method_handlers(self, service: str, handlers: Mapping[str, Any]) -> None:
        self.handlers[service] = handlers


def methods_of(add: AddServicer, servicer: object) -> dict[str, list[ServedMethod]]:
    """List what a servicer serves, by full service name; raises ActionMissing."""
    recorder = _Recorder()
    add(servicer, recorder)
    return {
        service: [_method(service, name, _servicing(handlers[name])) for name in handlers]
        for service, handlers in recorder.handlers.items()
    }


def _servicing(handler: Any) -> Servicing:  # noqa: ANN401  gRPC's types know no coroutines
    kinds = (handler.unary_unary, handler.unary_stream, handler.stream_unary, handler.stream_stream)
    return Servicing(
        next(function for function in kinds if function is not None),
        handler.request_streaming,
        handler.response_streaming,
        handler.request_deserializer,
        handler.response_serializer,
    )


def _method(service: str, name: str, servicing: Servicing) -> ServedMethod:
    path = f"/{service}/{name}"
    if service.startswith(INFRASTRUCTURE):
        return ServedMethod(path, "", discloses=False, anonymous=True, servicing=servicing)
    descriptor = Default().FindMethodByName(f"{service}.{name}")
    action = descriptor.GetOptions().Extensions[options_pb2.action]
    if not action.name:
        raise ActionMissing(f"{path} has no option careline.options.v1.action; add it to the proto")
    return ServedMethod(path, action.name, action.discloses, action.anonymous, servicing)
