"""A client that knows no protos: it asks the server, as grpcurl does."""

from collections.abc import Iterator, Mapping

import grpc
from google.protobuf.descriptor import MethodDescriptor
from google.protobuf.descriptor_pool import DescriptorPool
from google.protobuf.json_format import MessageToDict, ParseDict, ParseError
from google.protobuf.message import Message
from google.protobuf.message_factory import GetMessageClass
from grpc_reflection.v1alpha.proto_reflection_descriptor_database import (
    ProtoReflectionDescriptorDatabase,
)

from careline_cli.command_error import CommandError


class CallRefused(CommandError):
    """The call can not be made as asked; the text says what to do."""


class ReflectingClient:
    """Calls methods of one server by name, with JSON in and out."""

    def __init__(self, channel: grpc.Channel) -> None:
        self._channel = channel
        self._database = ProtoReflectionDescriptorDatabase(channel)
        self._pool = DescriptorPool(self._database)

    def services(self) -> list[str]:
        """Name every service that the server reflects."""
        return sorted(self._database.get_services())

    def call(
        self,
        method: str,
        request: Mapping[str, object],
        *,
        metadata: Mapping[str, str],
        seconds: float,
    ) -> Iterator[dict[str, object]]:
        """Call "package.Service/Method"; gives one answer, or each of a stream.

        Raises CallRefused for an unknown method or a request that does not fit it, grpc.RpcError
        for the server's refusal.
        """
        found = self._method(method)
        message = _parse(found, request)
        pairs = tuple(metadata.items())
        path = f"/{found.containing_service.full_name}/{found.name}"
        codecs = (type(message).SerializeToString, GetMessageClass(found.output_type).FromString)
        if found.client_streaming:
            raise CallRefused(f"{method} takes a stream; use the command made for it")
        if found.server_streaming:
            yield from map(
                _json,
                self._channel.unary_stream(path, *codecs)(message, metadata=pairs, timeout=seconds),
            )
        else:
            yield _json(
                self._channel.unary_unary(path, *codecs)(message, metadata=pairs, timeout=seconds)
            )

    def _method(self, method: str) -> MethodDescriptor:
        service_name, _, method_name = method.rpartition("/")
        try:
            service = self._pool.FindServiceByName(service_name)
        except KeyError:
            known = ", ".join(self.services())
            raise CallRefused(f"no service {service_name!r} here; there are: {known}") from None
        found = service.methods_by_name.get(method_name)
        if found is None:
            known = ", ".join(service.methods_by_name)
            raise CallRefused(f"no method {method_name!r}; {service_name} has: {known}")
        return found


def _parse(method: MethodDescriptor, request: Mapping[str, object]) -> Message:
    try:
        return ParseDict(dict(request), GetMessageClass(method.input_type)())
    except ParseError as error:
        raise CallRefused(f"the request does not fit {method.input_type.name}: {error}") from None


def _json(message: Message) -> dict[str, object]:
    return MessageToDict(message, preserving_proto_field_name=True)
