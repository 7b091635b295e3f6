"""Whole services on PostgreSQL, OpenBao and NATS, as their compose.py makes them."""

import asyncio
import json
import os
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from uuid import UUID

import grpc
import pytest
from careline.identity.events.v1.events_pb2 import AgentCreated, AgentSuspended
from careline.log.v1.log_service_pb2 import ReadLogRequest
from careline.log.v1.log_service_pb2_grpc import LogServiceStub
from careline.log.v1.recorded_event_pb2 import EventMetadata
from conftest import Database, Nats, trust_in
from embedded import NatsServer, PostgresServer, ServerProcess
from eventstore.event import RecordedEvent
from grpc_health.v1 import health_pb2
from integration.runtime.platform_rig import Platform, provision_streams, provisioned
from integration.runtime.probe.api import SERVICE as PROBE
from integration.runtime.probe.api import ProbeStub, Request, add_probe
from integration.runtime.probe.compose import PERSON, SERVICE, Probe
from integration.runtime.rig import AGENT, FixedToken, eventually
from integration.runtime.test_health import HealthStub
from integration.runtime.vault_rig import VaultRig
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import SpanKind
from runtime.channel import open_channel
from runtime.errors import reason_from
from runtime.new_id import new_id
from runtime.outgoing import Outgoing
from runtime.service import Serving, serving
from runtime.service_parts import real_parts
from runtime.service_runtime import NEEDS, ServiceRuntime
from runtime.settings import ServiceSettings
from runtime.telemetry.telemetry import Telemetry, collected_in_process
from runtime.tokens.token import TokenIssuer
from runtime.vault.transit import TransitSigner

TESTS = Path(__file__).resolve().parents[2]


@pytest.fixture
async def platform(
    postgres: PostgresServer, database: Database, vault: VaultRig, nats: Nats
) -> AsyncIterator[Platform]:
    async with provisioned(postgres, database, vault, nats) as platform:
        yield platform


@dataclass(frozen=True)
class Traced:
    telemetry: Telemetry
    spans: InMemorySpanExporter


@pytest.fixture
async def traced() -> AsyncIterator[Traced]:
    spans = InMemorySpanExporter()
    async with collected_in_process("test", spans) as telemetry:
        yield Traced(telemetry, spans)


@asynccontextmanager
async def _service(
    platform: Platform, traced: Traced, name: str, **changes: str
) -> AsyncIterator[Serving[ServiceSettings]]:
    settings = platform.settings(name, **changes)
    async with (
        real_parts(settings, traced.telemetry) as parts,
        serving(SERVICE, settings, parts) as running,
    ):
        yield running


@asynccontextmanager
async def _called(
    platform: Platform, traced: Traced, port: int
) -> AsyncIterator[tuple[ProbeStub, grpc.aio.Channel]]:
    """Call as an agent."""
    async with platform.vault.session() as session:
        issuer = TokenIssuer(TransitSigner(session), "token-identity")
        token = FixedToken(await issuer.issue(AGENT, 600))
    outgoing = Outgoing(token, traced.telemetry, names_tenant=False)
    async with open_channel(f"127.0.0.1:{port}", outgoing) as channel:
        yield ProbeStub(channel), channel


async def _events(running: Serving[ServiceSettings]) -> list[RecordedEvent]:
    return [event async for event in running.runtime.log.read_log()]


async def test_a_call_is_appended_sealed_and_answered_the_same_when_repeated(
    platform: Platform, traced: Traced
) -> None:
    async with (
        _service(platform, traced, "routing") as running,
        _called(platform, traced, running.server.port) as (stub, _),
    ):
        request = Request(stream=str(new_id()))
        first = await stub.one(request)
        again = await stub.one(request)
        with pytest.raises(grpc.aio.AioRpcError) as raised:
            await stub.one(Request(stream=request.stream, after_position=1))

        (event,) = await _events(running)
        (opened,) = await running.runtime.codec.open([event])

    assert first.head_position == again.head_position == event.position
    assert reason_from(raised.value) == "REQUEST_ID_REUSED"
    assert PERSON.encode() not in event.data
    assert isinstance(opened.message, AgentCreated)
    assert opened.message.display_name == PERSON
    metadata = EventMetadata.FromString(event.metadata)
    assert (metadata.action, metadata.actor.name) == ("probe.one", AGENT.name)


async def test_one_trace_runs_from_the_call_through_append_relay_consumer_and_reaction(
    platform: Platform, traced: Traced
) -> None:
    async with (
        _service(platform, traced, "routing") as routing,
        _service(
            platform, traced, "audit", PEERS=f"routing=127.0.0.1:{routing.server.port}"
        ) as audit,
        _called(platform, traced, routing.server.port) as (stub, _),
    ):
        await stub.one(Request(stream=str(new_id())))

        async def reacted() -> bool:
            return len(await _events(audit)) == 1

        await eventually(reacted, within=20)
        (created,), (suspended,) = await _events(routing), await _events(audit)

    assert suspended.type == AgentSuspended.DESCRIPTOR.full_name
    reaction = EventMetadata.FromString(suspended.metadata)
    cause = EventMetadata.FromString(created.metadata)
    assert reaction.causation_id == str(created.id)
    assert reaction.correlation_id == cause.correlation_id
    assert reaction.actor.name == "services/audit"

    chain = [
        (SpanKind.CLIENT, f"{PROBE}/One"),
        (SpanKind.SERVER, f"{PROBE}/One"),
        (SpanKind.INTERNAL, "append"),
        (SpanKind.PRODUCER, "send CARELINE_ROUTING"),
        (SpanKind.CONSUMER, "process CARELINE_ROUTING"),
    ]
    trace = UUID(cause.correlation_id).int
    spans = [
        (span.kind, span.name)
        for span in traced.spans.get_finished_spans()
        if span.context is not None and span.context.trace_id == trace
    ]
    assert not [step for step in chain if step not in spans]
    assert spans.count((SpanKind.INTERNAL, "append")) == 2
    assert not [span for span in traced.spans.get_finished_spans() if PERSON in span.to_json()]


async def test_denials_and_reads_of_the_log_are_recorded_in_the_log(
    platform: Platform, traced: Traced
) -> None:
    async with (
        _service(platform, traced, "routing") as running,
        _called(platform, traced, running.server.port) as (_, channel),
    ):
        with pytest.raises(grpc.aio.AioRpcError) as raised:
            async for _ in LogServiceStub(channel).ReadLog(ReadLogRequest()):
                pass
        (event,) = await _events(running)

    assert reason_from(raised.value) == "DENIED_OR_ABSENT"
    assert event.type == "careline.log.events.v1.AccessRefused"
    assert event.stream.category == "refusals"
    assert b"log.read" in event.data


async def test_a_service_serves_without_nats_and_health_says_what_is_away(
    platform: Platform, traced: Traced
) -> None:
    async with (
        _service(platform, traced, "routing", NATS_URL="nats://127.0.0.1:9") as running,
        _called(platform, traced, running.server.port) as (stub, _),
        grpc.aio.insecure_channel(f"127.0.0.1:{running.server.health_port}") as channel,
    ):
        await stub.one(Request(stream=str(new_id())))
        health = HealthStub(channel)

        async def status(name: str) -> int:
            request = health_pb2.HealthCheckRequest(service=name)
            return int((await health.check(request, timeout=5)).status)

        serving_ = health_pb2.HealthCheckResponse.SERVING
        assert [await status(name) for name in ("", PROBE, "database", "keyring", "vault")] == [
            serving_
        ] * 5
        assert await status("nats") == health_pb2.HealthCheckResponse.NOT_SERVING


async def test_nats_that_goes_and_comes_turns_what_needs_it_and_loses_nothing(
    platform: Platform, traced: Traced, tmp_path: Path
) -> None:
    async def compose(runtime: ServiceRuntime[ServiceSettings]) -> None:
        runtime.serve(add_probe, Probe(runtime), needs=NEEDS | {"nats"})

    own = NatsServer(tmp_path / "nats", trust_in(platform.nats.operator), sync_always=False)
    process = await started(own)
    await provision_streams(Nats(own.url, platform.nats.operator, platform.nats.credentials))
    settings = platform.settings("routing", NATS_URL=own.url)
    async with (
        real_parts(settings, traced.telemetry) as parts,
        serving(replace(SERVICE, compose=compose), settings, parts) as running,
        _called(platform, traced, running.server.port) as (stub, _),
        grpc.aio.insecure_channel(f"127.0.0.1:{running.server.health_port}") as channel,
    ):
        health = HealthStub(channel)

        async def is_serving(*, wanted: bool) -> bool:
            request = health_pb2.HealthCheckRequest(service=PROBE)
            answer = await health.check(request, timeout=5)
            return wanted is (answer.status == health_pb2.HealthCheckResponse.SERVING)

        async def published(count: int) -> bool:
            spans = [one.name for one in traced.spans.get_finished_spans()]
            return spans.count("send CARELINE_ROUTING") >= count

        await eventually(lambda: is_serving(wanted=True), within=20)
        await stub.one(Request(stream=str(new_id())))
        await eventually(lambda: published(1), within=20)

        await process.stop()
        await eventually(lambda: is_serving(wanted=False), within=20)
        await stub.one(Request(stream=str(new_id())))

        process = await started(own)
        await eventually(lambda: is_serving(wanted=True), within=20)
        await eventually(lambda: published(2), within=20)
    await process.stop()


async def started(server: NatsServer) -> ServerProcess:
    process = await ServerProcess.start(server)
    await process.ready()
    return process


async def test_a_process_drains_at_sigterm_and_exits_0(platform: Platform) -> None:
    process = await _process(platform.environment("routing"))
    port = (await _line(process, "serving"))["port"]
    async with grpc.aio.insecure_channel(f"127.0.0.1:{port}") as channel:
        answer = await HealthStub(channel).check(health_pb2.HealthCheckRequest(), timeout=5)
    process.send_signal(signal.SIGTERM)
    output, errors = await asyncio.wait_for(process.communicate(), 20)

    assert answer.status == health_pb2.HealthCheckResponse.SERVING
    assert process.returncode == 0
    assert output == b""
    texts = [json.loads(line)["text"] for line in errors.splitlines() if line.startswith(b"{")]
    assert "draining" in texts


async def test_a_process_with_wrong_settings_says_which_and_exits_2(platform: Platform) -> None:
    environment = platform.environment("routing", DATABASE="postgresql://u:hunter2@h/careline")
    process = await _process({**environment, "CARELINE_TYPO": "hunter2"})
    _, errors = await asyncio.wait_for(process.communicate(), 20)

    assert process.returncode == 2
    assert errors.decode().splitlines() == [
        "CARELINE_TYPO is no setting of this service; remove it or correct its name",
        errors.decode().splitlines()[1],
    ]
    assert errors.decode().splitlines()[1].startswith("CARELINE_DATABASE is malformed: expected")
    assert b"hunter2" not in errors


async def test_a_process_without_vault_says_so_in_one_line_and_exits_1(
    platform: Platform,
) -> None:
    process = await _process(platform.environment("routing", VAULT_ADDRESS="http://127.0.0.1:9"))
    _, errors = await asyncio.wait_for(process.communicate(), 30)

    assert process.returncode == 1
    (line,) = [json.loads(line) for line in errors.splitlines()]
    assert line["level"] == "critical"
    assert "check that it runs" in line["text"]


async def _process(environment: dict[str, str]) -> asyncio.subprocess.Process:
    return await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "integration.runtime.probe",
        env={"PATH": os.environ["PATH"], "PYTHONPATH": str(TESTS), **environment},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )


async def _line(process: asyncio.subprocess.Process, text: str) -> dict[str, object]:
    """Give the first log line with a text."""
    assert process.stderr is not None
    async with asyncio.timeout(30):
        async for raw in process.stderr:
            if raw.startswith(b"{"):
                line: dict[str, object] = json.loads(raw)
                if line["text"] == text:
                    return line
    raise AssertionError("the process ended without saying it")
