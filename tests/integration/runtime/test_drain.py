"""The graceful end: what becomes of calls, new and under way."""

import asyncio
import os
import signal
from typing import Any

import grpc
import pytest
from grpc_health.v1 import health_pb2
from integration.runtime.probe.api import SERVICE, Answer, Request
from integration.runtime.rig import ANYWHERE, Rig
from integration.runtime.test_health import NOT_SERVING, HealthStub
from runtime.addresses import ListenAddress
from runtime.drain import StopSignals, drain
from runtime.health import Health
from runtime.server import GrpcServer


async def _holding(rig: Rig) -> tuple[asyncio.Event, asyncio.Event]:
    started, release = asyncio.Event(), asyncio.Event()

    async def one(_: Request) -> Answer:
        started.set()
        await release.wait()
        return Answer(head_position=1)

    rig.api.one = one
    return started, release


async def test_a_call_under_way_ends_and_a_new_one_is_sent_elsewhere(rig: Rig) -> None:
    started, release = await _holding(rig)
    stub = await rig.stub()
    held = asyncio.ensure_future(_one(stub.one(Request())))
    await started.wait()

    draining = asyncio.create_task(
        drain(rig.server, rig.health, StopSignals(), endpoint_delay=0, grace=5)
    )
    await _until_not_serving(rig)
    with pytest.raises(grpc.aio.AioRpcError) as raised:
        await (await rig.stub()).one(Request(), timeout=2)
    release.set()

    assert raised.value.code() is grpc.StatusCode.UNAVAILABLE
    assert (await held).head_position == 1
    await asyncio.wait_for(draining, 5)


async def test_endpoints_get_time_to_learn_before_calls_are_refused(rig: Rig) -> None:
    signals = StopSignals()
    draining = asyncio.create_task(
        drain(rig.server, rig.health, signals, endpoint_delay=30, grace=5)
    )
    await _until_not_serving(rig)

    assert (await (await rig.stub()).one(Request(after_position=3))).head_position == 3
    signals.note()
    signals.note()
    await asyncio.wait_for(draining, 5)


async def test_a_call_that_outlasts_the_grace_is_cut_off(rig: Rig) -> None:
    started, _ = await _holding(rig)
    held = asyncio.ensure_future(_one((await rig.stub()).one(Request())))
    await started.wait()

    await asyncio.wait_for(
        drain(rig.server, rig.health, StopSignals(), endpoint_delay=0, grace=0.2), 5
    )
    with pytest.raises(grpc.aio.AioRpcError) as raised:
        await held

    assert raised.value.code() is grpc.StatusCode.UNAVAILABLE


async def test_a_second_signal_stops_at_once(rig: Rig) -> None:
    started, _ = await _holding(rig)
    held = asyncio.ensure_future(_one((await rig.stub()).one(Request())))
    await started.wait()
    signals = StopSignals()
    with signals.heard():
        os.kill(os.getpid(), signal.SIGTERM)
        await asyncio.wait_for(signals.first.wait(), 5)
        draining = asyncio.create_task(
            drain(rig.server, rig.health, signals, endpoint_delay=60, grace=60)
        )
        await _until_not_serving(rig)
        os.kill(os.getpid(), signal.SIGTERM)
        await asyncio.wait_for(draining, 5)

    with pytest.raises(grpc.aio.AioRpcError):
        await held


async def _one(call: grpc.aio.UnaryUnaryCall[Any, Answer]) -> Answer:
    return await call


async def _until_not_serving(rig: Rig) -> None:
    async with grpc.aio.insecure_channel(f"127.0.0.1:{rig.server.health_port}") as channel:
        watch = HealthStub(channel).watch(health_pb2.HealthCheckRequest(service=SERVICE), timeout=5)
        async for answer in watch:
            if answer.status == NOT_SERVING:
                break
        watch.cancel()


async def test_a_port_that_is_taken_is_told_and_not_shared(rig: Rig) -> None:
    taken = ListenAddress("127.0.0.1", rig.server.port)
    for listen, health_listen in ((taken, ANYWHERE), (ANYWHERE, taken)):
        with pytest.raises(OSError, match=f"can not listen on {taken}"):
            GrpcServer([], (), Health([]), listen=listen, health_listen=health_listen)
