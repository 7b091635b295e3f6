"""Health by dependency, on both ports, while dependencies come and go."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import grpc
import pytest
from grpc_health.v1 import health_pb2
from integration.runtime.probe.api import SERVICE, ProbeApi, add_probe
from integration.runtime.rig import ANYWHERE, Rig, eventually
from runtime.background import beside
from runtime.health import Dependency, Health
from runtime.served_method import methods_of
from runtime.server import GrpcServer

SERVING = health_pb2.HealthCheckResponse.SERVING
NOT_SERVING = health_pb2.HealthCheckResponse.NOT_SERVING


@dataclass
class Switch:
    """A dependency that a test takes away."""

    away: bool = False
    hangs: bool = False

    async def probe(self) -> None:
        if self.hangs:
            await asyncio.Event().wait()
        if self.away:
            raise ConnectionError("postgres at 10.0.0.7 says Jane Doe")


class HealthStub:
    """grpc.health.v1 with types, which its own generated stub has none of."""

    def __init__(self, channel: grpc.aio.Channel) -> None:
        codec = (
            health_pb2.HealthCheckRequest.SerializeToString,
            health_pb2.HealthCheckResponse.FromString,
        )
        self.check = channel.unary_unary("/grpc.health.v1.Health/Check", *codec)
        self.watch = channel.unary_stream("/grpc.health.v1.Health/Watch", *codec)


@dataclass
class Watched:
    health: Health
    database: Switch
    nats: Switch
    stub: HealthStub
    beside_main: HealthStub

    async def status(self, service: str) -> int:
        answer = await self.stub.check(health_pb2.HealthCheckRequest(service=service), timeout=5)
        return int(answer.status)

    async def status_on_main(self, service: str) -> int:
        request = health_pb2.HealthCheckRequest(service=service)
        return int((await self.beside_main.check(request, timeout=5)).status)


@asynccontextmanager
async def _watched() -> AsyncIterator[Watched]:
    database, nats = Switch(), Switch()
    health = Health(
        [Dependency("database", database.probe), Dependency("nats", nats.probe)],
        interval=0.02,
        timeout=0.2,
    )
    await health.add_service(SERVICE, {"database"})
    await health.add_service("careline.log.v1.LogService", {"database", "nats"})
    methods = [method for found in methods_of(add_probe, ProbeApi()).values() for method in found]
    async with (
        GrpcServer(methods, (), health, listen=ANYWHERE, health_listen=ANYWHERE) as server,
        grpc.aio.insecure_channel(f"127.0.0.1:{server.health_port}") as own,
        grpc.aio.insecure_channel(f"127.0.0.1:{server.port}") as main,
        beside(health.run),
    ):
        yield Watched(
            health,
            database,
            nats,
            HealthStub(own),
            HealthStub(main),
        )


async def test_a_service_serves_only_once_everything_it_needs_was_seen() -> None:
    health = Health([Dependency("database", Switch().probe)])
    await health.add_service(SERVICE, {"database"})
    async with (
        GrpcServer([], (), health, listen=ANYWHERE, health_listen=ANYWHERE) as server,
        grpc.aio.insecure_channel(f"127.0.0.1:{server.health_port}") as channel,
    ):
        request = health_pb2.HealthCheckRequest(service=SERVICE)
        before = await HealthStub(channel).check(request, timeout=5)
        await health.probe_all()
        after = await HealthStub(channel).check(request, timeout=5)

    assert (before.status, after.status) == (NOT_SERVING, SERVING)


async def test_what_needs_a_dependency_that_is_away_does_not_serve_until_it_is_back() -> None:
    async with _watched() as watched:
        log = "careline.log.v1.LogService"
        await eventually(lambda: _is(watched, log, SERVING))

        watched.nats.away = True
        await eventually(lambda: _is(watched, log, NOT_SERVING))
        assert await watched.status("nats") == NOT_SERVING
        assert await watched.status("database") == SERVING
        assert await watched.status(SERVICE) == SERVING
        assert await watched.status("liveness") == SERVING
        assert await watched.status("") == NOT_SERVING
        assert await watched.status_on_main(log) == NOT_SERVING
        assert await watched.status_on_main(SERVICE) == SERVING

        watched.nats.away = False
        await eventually(lambda: _is(watched, log, SERVING))
        assert await watched.status("") == SERVING


async def test_a_dependency_that_hangs_is_away(caplog: pytest.LogCaptureFixture) -> None:
    async with _watched() as watched:
        await eventually(lambda: _is(watched, SERVICE, SERVING))
        watched.database.hangs = True

        await eventually(lambda: _is(watched, SERVICE, NOT_SERVING))

    (record,) = [record for record in caplog.records if record.message == "dependency is away"]
    assert record.__dict__["dependency"] == "database"
    assert record.__dict__["error"] == "TimeoutError"


async def test_what_a_probe_raised_is_named_by_its_type_alone(
    caplog: pytest.LogCaptureFixture,
) -> None:
    async with _watched() as watched:
        await eventually(lambda: _is(watched, SERVICE, SERVING))
        watched.database.away = True
        await eventually(lambda: _is(watched, SERVICE, NOT_SERVING))

    assert "Jane" not in caplog.text + str([record.__dict__ for record in caplog.records])


async def test_a_watcher_sees_every_turn() -> None:
    async with _watched() as watched:
        await eventually(lambda: _is(watched, SERVICE, SERVING))
        call = watched.stub.watch(health_pb2.HealthCheckRequest(service=SERVICE), timeout=20)
        seen = [(await _read(call)).status]
        watched.database.away = True
        seen.append((await _read(call)).status)
        watched.database.away = False
        seen.append((await _read(call)).status)
        call.cancel()

    assert seen == [SERVING, NOT_SERVING, SERVING]


async def test_a_service_that_is_not_here_is_not_found() -> None:
    async with _watched() as watched:
        with pytest.raises(grpc.aio.AioRpcError) as raised:
            await watched.stub.check(health_pb2.HealthCheckRequest(service="nobody"), timeout=5)

    assert raised.value.code() is grpc.StatusCode.NOT_FOUND


async def test_a_need_that_nobody_probes_is_refused() -> None:
    with pytest.raises(ValueError, match="nats"):
        await Health([]).add_service(SERVICE, {"nats"})


async def test_nothing_serves_once_draining_began() -> None:
    async with _watched() as watched:
        await eventually(lambda: _is(watched, SERVICE, SERVING))
        await watched.health.stop_serving()

        assert await watched.status(SERVICE) == NOT_SERVING
        assert await watched.status("") == NOT_SERVING
        assert await watched.status("database") == NOT_SERVING
        assert await watched.status("liveness") == SERVING
        for away in (True, False):
            watched.database.away = away
            await watched.health.probe_all()
        assert await watched.status(SERVICE) == NOT_SERVING


async def test_health_and_reflection_need_neither_token_nor_deadline(rig: Rig) -> None:
    stub = HealthStub(await rig.bare())

    answer = await stub.check(health_pb2.HealthCheckRequest(service=SERVICE))

    assert answer.status == SERVING
    assert rig.spans.get_finished_spans() == ()


async def _is(watched: Watched, service: str, status: int) -> bool:
    return await watched.status(service) == status


async def _read(
    call: grpc.aio.UnaryStreamCall[Any, health_pb2.HealthCheckResponse],
) -> health_pb2.HealthCheckResponse:
    answer = await call.read()
    assert isinstance(answer, health_pb2.HealthCheckResponse)
    return answer
