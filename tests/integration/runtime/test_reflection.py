"""Reflection lists what is served."""

from collections.abc import AsyncIterator

from grpc_reflection.v1alpha import reflection_pb2
from integration.runtime.probe.api import SERVICE
from integration.runtime.rig import Rig

_Request = reflection_pb2.ServerReflectionRequest


async def test_reflection_lists_every_service_and_describes_methods(rig: Rig) -> None:
    async def requests() -> AsyncIterator[_Request]:
        yield _Request(list_services="")
        yield _Request(file_containing_symbol=SERVICE)

    ask = (await rig.bare()).stream_stream(
        "/grpc.reflection.v1alpha.ServerReflection/ServerReflectionInfo",
        _Request.SerializeToString,
        reflection_pb2.ServerReflectionResponse.FromString,
    )
    answers = [answer async for answer in ask(requests(), timeout=5)]

    names = {service.name for service in answers[0].list_services_response.service}
    assert names == {
        SERVICE,
        "grpc.health.v1.Health",
        "grpc.reflection.v1alpha.ServerReflection",
    }
    assert answers[1].file_descriptor_response.file_descriptor_proto
