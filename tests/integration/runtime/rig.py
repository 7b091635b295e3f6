"""A probe service on a real gRPC server with every interceptor, and channels to it."""

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from io import StringIO

import grpc
from integration.runtime.probe.api import POLICIES, SERVICE, ProbeApi, ProbeStub, add_probe
from opentelemetry.sdk.metrics.export import InMemoryMetricReader
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from runtime.access import Access
from runtime.addresses import ListenAddress
from runtime.channel import open_channel
from runtime.health import Health
from runtime.interceptors.access import DecideAccess
from runtime.interceptors.admission import Admission
from runtime.interceptors.authenticate import Authenticate, EndedSessions
from runtime.interceptors.deadline import DeadlineRequired
from runtime.interceptors.telemetry import TraceCalls
from runtime.outgoing import CallFor, Outgoing
from runtime.principal import Principal, PrincipalKind
from runtime.served_method import AddServicer, methods_of
from runtime.server import GrpcServer, ServerLimits
from runtime.telemetry.logs import JsonHandler
from runtime.telemetry.telemetry import Telemetry, collected_in_process
from runtime.testing.local_keys import LocalKeys
from runtime.tokens.public_keys import PublicKeys
from runtime.tokens.token import TOKEN_KEYS, TokenIssuer, TokenVerifier
from runtime.vault.transit import TransitSigner

ANYWHERE = ListenAddress("127.0.0.1", 0)
AGENT = Principal(
    PrincipalKind.AGENT,
    "agents/01970000-0000-7000-8000-000000000001",
    frozenset({"demo"}),
    roles=frozenset({"agent"}),
    session="01970000-0000-7000-8000-0000000000aa",
)


@dataclass(slots=True)
class FixedToken:
    """A token that a test minted."""

    text: str

    async def token(self) -> str:
        return self.text


@dataclass(slots=True)
class Rig:
    """A running probe service and what it leaves behind."""

    api: ProbeApi
    server: GrpcServer
    health: Health
    telemetry: Telemetry
    spans: InMemorySpanExporter
    metrics: InMemoryMetricReader
    keys: LocalKeys | TransitSigner
    stack: AsyncExitStack
    log: StringIO
    stubs: dict[str, ProbeStub] = field(default_factory=dict)

    async def token(self, principal: Principal = AGENT, key: str = "token-identity") -> str:
        return await TokenIssuer(self.keys, key).issue(principal, 300)

    async def channel(self, token: str | None, call_for: CallFor | None = None) -> grpc.aio.Channel:
        outgoing = Outgoing(
            None if token is None else FixedToken(token),
            self.telemetry,
            default=call_for,
            names_tenant=bool(call_for and call_for.tenant),
            stream_timeout=50,
        )
        return await self.stack.enter_async_context(
            open_channel(f"127.0.0.1:{self.server.port}", outgoing)
        )

    async def stub(self, call_for: CallFor | None = None) -> ProbeStub:
        return ProbeStub(await self.channel(await self.token(), call_for))

    async def bare(self) -> grpc.aio.Channel:
        """A channel of plain gRPC, without anything of ours."""
        return await self.stack.enter_async_context(
            grpc.aio.insecure_channel(f"127.0.0.1:{self.server.port}")
        )


@asynccontextmanager
async def running_rig(
    *,
    max_concurrent_rpcs: int = 100,
    policies: str = POLICIES,
    servicers: Sequence[tuple[AddServicer, object]] = (),
    ended: EndedSessions | None = None,
    keys: LocalKeys | TransitSigner | None = None,
    max_stream_seconds: float = 60,
) -> AsyncIterator[Rig]:
    spans, metrics, api = InMemorySpanExporter(), InMemoryMetricReader(), ProbeApi()
    keys = keys or LocalKeys()
    handler = JsonHandler("probe", StringIO())
    root = logging.getLogger()
    root.addHandler(handler)
    async with AsyncExitStack() as stack:
        stack.callback(root.removeHandler, handler)
        telemetry = await stack.enter_async_context(collected_in_process("probe", spans, metrics))
        health = Health([])
        await health.add_service(SERVICE, ())
        server = GrpcServer(
            [
                method
                for add, servicer in ((add_probe, api), *servicers)
                for methods in methods_of(add, servicer).values()
                for method in methods
            ],
            (
                TraceCalls(telemetry),
                Admission(max_concurrent_rpcs),
                DeadlineRequired(30, max_stream_seconds),
                Authenticate(TokenVerifier(PublicKeys(keys, TOKEN_KEYS)), ended),
                DecideAccess(Access(policies)),
            ),
            health,
            listen=ANYWHERE,
            health_listen=ANYWHERE,
            limits=ServerLimits(max_concurrent_rpcs=max_concurrent_rpcs),
        )
        await stack.enter_async_context(server)
        channels = await stack.enter_async_context(AsyncExitStack())
        stream = handler.stream
        assert isinstance(stream, StringIO)
        yield Rig(api, server, health, telemetry, spans, metrics, keys, channels, stream)


async def eventually(
    condition: Callable[[], Awaitable[bool]], *, within: float = 10, pause: float = 0.02
) -> None:
    """Return once the condition holds; fails after `within` seconds."""
    for _ in range(int(within / pause)):
        if await condition():
            return
        await asyncio.sleep(pause)
    raise AssertionError("the condition did not come to hold in time")
