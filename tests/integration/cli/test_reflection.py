"""The client by reflection against a real server that knows nothing of it."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import grpc
import pytest
from careline_cli.reflection import CallRefused, ReflectingClient
from grpc_health.v1 import health, health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha import reflection

CHECK = "grpc.health.v1.Health/Check"


@pytest.fixture
def client() -> Iterator[ReflectingClient]:
    server = grpc.server(ThreadPoolExecutor(4))
    servicer = health.HealthServicer()
    servicer.set("routing", health_pb2.HealthCheckResponse.SERVING)
    health_pb2_grpc.add_HealthServicer_to_server(servicer, server)
    reflection.enable_server_reflection(("grpc.health.v1.Health",), server)
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    with grpc.insecure_channel(f"127.0.0.1:{port}") as channel:
        yield ReflectingClient(channel)
    server.stop(None).wait()


def ask(client: ReflectingClient, method: str, request: dict[str, object]) -> object:
    return next(client.call(method, request, metadata={}, seconds=5))


def test_a_method_is_called_with_json_and_answers_with_json(client: ReflectingClient) -> None:
    assert ask(client, CHECK, {"service": "routing"}) == {"status": "SERVING"}


def test_a_stream_gives_each_answer(client: ReflectingClient) -> None:
    watch = client.call(
        "grpc.health.v1.Health/Watch", {"service": "routing"}, metadata={}, seconds=5
    )

    assert next(watch) == {"status": "SERVING"}


@pytest.mark.parametrize(
    ("method", "request_", "word"),
    [
        ("grpc.health.v1.Nothing/Check", {}, "no service"),
        ("grpc.health.v1.Health/Nothing", {}, "it has|has: Check"),
        (CHECK, {"servicee": "x"}, "does not fit"),
    ],
)
def test_what_does_not_exist_or_fit_is_refused_with_what_does(
    client: ReflectingClient, method: str, request_: dict[str, object], word: str
) -> None:
    with pytest.raises(CallRefused, match=word):
        ask(client, method, request_)


def test_the_servers_refusal_is_the_callers(client: ReflectingClient) -> None:
    with pytest.raises(grpc.RpcError):
        ask(client, CHECK, {"service": "nobody"})
