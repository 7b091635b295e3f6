"""The service on real PostgreSQL, NATS and OpenBao, beside conversations' log, and who calls it."""

from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any
from uuid import uuid4

import eventstore.postgres.migrate
import grpc
import messaging.migrate
import sealing.keyring.migrate
from careline.log.events.v1.events_pb2 import AccessRefused
from careline.routing.events.v1 import events_pb2
from careline.routing.v1.agent_desk_service_pb2_grpc import AgentDeskServiceStub
from careline.routing.v1.queue_service_pb2_grpc import QueueServiceStub
from careline.routing.v1.routing_service_pb2_grpc import RoutingServiceStub
from conftest import Database
from eventstore.event import RecordedEvent
from eventstore.postgres import PostgresEventLog
from eventstore.stream_id import StreamId
from google.protobuf.message import Message
from integration.bad_calls import REFUSED, Caller, log_unchanged
from integration.messaging.log_rig import LogRig, service_log
from integration.messaging.nats_rig import NatsRig
from integration.runtime.rig import FixedToken
from integration.runtime.vault_rig import VaultRig
from messaging.dead_letters import DeadLetter, DeadLetters
from messaging.relay import Relay
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from routing.compose import compose
from routing.settings import CONSUMES, RoutingSettings
from runtime.addresses import Peers, ServerUrl
from runtime.background import beside
from runtime.interceptors.client import client_interceptors
from runtime.new_id import new_id
from runtime.outgoing import CallFor, Outgoing
from runtime.principal import Principal, PrincipalKind, service_principal
from runtime.service import Service, Serving, serving
from runtime.service_messaging import NatsAccess, ServiceMessaging
from runtime.service_parts import ServiceParts
from runtime.telemetry.event_spans import EventSpans
from runtime.telemetry.telemetry import Telemetry, collected_in_process
from runtime.testing.local_keys import LocalKeys
from runtime.testing.local_parts import local_settings
from runtime.tokens.token import TokenIssuer
from runtime.vault.transit import KeyringTransit
from sealing.keyring import Keyring
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

SERVICE = "routing"
DEMO, OTHER = "demo", "other"


def request_id() -> str:
    return str(new_id())


class Clock:
    """The time of day, which a test moves on."""

    def __init__(self) -> None:
        self._ahead = timedelta(0)

    def __call__(self) -> datetime:
        return datetime.now(UTC) + self._ahead

    def advance(self, by: timedelta) -> None:
        self._ahead += by


@dataclass(frozen=True, slots=True)
class Client:
    """One principal's stubs of everything that the service serves."""

    principal: Principal
    routing: RoutingServiceStub
    desk: AgentDeskServiceStub
    queues: QueueServiceStub

    @property
    def name(self) -> str:
        return self.principal.name


@dataclass(frozen=True, slots=True)
class Ground:
    """What outlives a process of the service: its database, NATS, keys, and who publishes."""

    database: Database
    keyring: Keyring
    keys: LocalKeys
    nats: NatsRig
    clock: Clock
    conversations: LogRig

    async def dead_letters(self) -> list[DeadLetter]:
        return await DeadLetters(self.database.engine, SERVICE).list()


@dataclass(slots=True)
class Process:
    """A running process of the service."""

    ground: Ground
    serving: Serving[RoutingSettings]
    telemetry: Telemetry
    stack: AsyncExitStack

    async def frontend(self, tenant: str = DEMO) -> Client:
        principal = Principal(
            PrincipalKind.FRONTEND,
            f"serviceAccounts/{new_id()}",
            frozenset({tenant}),
            channels=frozenset({"SMS"}),
        )
        return await self.client(principal)

    async def agent(self, *roles: str, tenant: str = DEMO) -> Client:
        principal = Principal(
            PrincipalKind.AGENT,
            f"agents/{new_id()}",
            frozenset({tenant}),
            roles=frozenset(roles or ("agent",)),
            session=str(uuid4()),
        )
        return await self.client(principal)

    async def operator(self, tenant: str = DEMO) -> Client:
        return await self.client(
            Principal(PrincipalKind.OPERATOR, "operators/local", frozenset({tenant}))
        )

    async def service(self, name: str, tenant: str = DEMO) -> Client:
        return await self.client(service_principal(name), CallFor(tenant=tenant))

    async def client(self, principal: Principal, call_for: CallFor | None = None) -> Client:
        """Call this process, also as somebody who calls another."""
        caller = self.caller(principal)
        token = await TokenIssuer(caller.signer, caller.key).issue(principal, 600)
        outgoing = Outgoing(
            FixedToken(token),
            self.telemetry,
            default=call_for,
            names_tenant=call_for is not None,
            timeout=30,
            stream_timeout=60,
        )
        # Without retries: a test sees each answer as it is.
        channel: grpc.aio.Channel = await self.stack.enter_async_context(
            grpc.aio.insecure_channel(
                f"127.0.0.1:{self.serving.server.port}", interceptors=client_interceptors(outgoing)
            )
        )
        return Client(
            principal,
            RoutingServiceStub(channel),
            AgentDeskServiceStub(channel),
            QueueServiceStub(channel),
        )

    def caller(self, principal: Principal) -> Caller:
        key = {
            PrincipalKind.OPERATOR: "token-operator",
            PrincipalKind.SERVICE: f"token-{principal.name.removeprefix('services/')}",
        }.get(principal.kind, "token-identity")
        return Caller(self.serving.server.port, self.ground.keys, key, principal)

    async def events(self, stream: str, tenant: str = DEMO) -> list[RecordedEvent]:
        log = self.serving.runtime.log
        return [event async for event in log.read_stream(StreamId(tenant, stream))]

    async def messages(self, stream: str, tenant: str = DEMO) -> list[Message]:
        codec = self.serving.runtime.codec
        return [codec.decode(event) for event in await self.events(stream, tenant)]

    async def types(self, stream: str, tenant: str = DEMO) -> list[str]:
        return [event.type.rpartition(".")[2] for event in await self.events(stream, tenant)]

    async def log(self) -> list[RecordedEvent]:
        """Give all that happened, but for refusals, which leave a record of themselves."""
        log = self.serving.runtime.log
        return [event async for event in log.read_log() if event.type != REFUSED]

    async def refusals(self, tenant: str = DEMO) -> list[AccessRefused]:
        return [
            AccessRefused.FromString(event.data)
            async for event in self.serving.runtime.log.read_log(types={REFUSED})
            if event.stream.tenant == tenant
        ]

    def unchanged(self) -> AbstractAsyncContextManager[None]:
        """Hold that the block appends nothing but who was refused by policy."""
        return log_unchanged(self.ground.database.engine, SERVICE)


@asynccontextmanager
async def ground_on(database: Database, vault: VaultRig, folder: Path) -> AsyncIterator[Ground]:
    """Provision everything, and run conversations' log and its relay."""
    await _migrate(database)
    for tenant in (DEMO, OTHER):
        vault.root.secrets.transit.create_key(f"tenant-{tenant}", key_type="aes256-gcm96")
    async with AsyncExitStack() as stack:
        nats = NatsRig(folder)
        stack.push_async_callback(nats.stop)
        await nats.start()
        await nats.provision((SERVICE, "conversations"), CONSUMES)
        session = await stack.enter_async_context(vault.session())
        keyring = await stack.enter_async_context(
            Keyring(_engine(stack, database, "keyring_runtime"), KeyringTransit(session))
        )
        log = await stack.enter_async_context(service_log(database.engine, "conversations"))
        client = await stack.enter_async_context(await nats.connect(nats.service("conversations")))
        relay = Relay(log.log, log.engine, log.schema, "conversations", client)
        await stack.enter_async_context(beside(relay.run))
        yield Ground(database, keyring, LocalKeys(), nats, Clock(), log)


@asynccontextmanager
async def process_on(
    ground: Ground, *, conversations: str = "127.0.0.1:9", **settings: object
) -> AsyncIterator[Process]:
    """Run the service as its compose.py makes it, by the ground's clock.

    `conversations` is where that service's log is to be asked for.
    """
    async with AsyncExitStack() as stack:
        telemetry = await stack.enter_async_context(
            collected_in_process(SERVICE, InMemorySpanExporter())
        )
        queries = _engine(stack, ground.database, f"{SERVICE}_runtime")
        log = await stack.enter_async_context(
            PostgresEventLog(_engine(stack, ground.database, f"{SERVICE}_runtime"), SERVICE)
        )
        credentials = ground.nats.service(SERVICE, CONSUMES).text

        async def text_of() -> str:
            return credentials

        messaging = ServiceMessaging(
            SERVICE,
            NatsAccess(ServerUrl.parse(ground.nats.servers[0]), text_of),
            log,
            lambda _: _engine(stack, ground.database, f"{SERVICE}_runtime"),
            EventSpans(telemetry.tracer, SERVICE),
        )
        parts = ServiceParts(
            telemetry, log, queries, ground.keyring, ground.keys, messaging=messaging
        )
        peers = Peers({"conversations": conversations})
        chosen = local_settings(RoutingSettings, SERVICE, peers=peers, **settings)
        composed = partial(compose, now=ground.clock)
        service = Service(SERVICE, RoutingSettings, (events_pb2,), composed)
        running = await stack.enter_async_context(serving(service, chosen, parts))
        clients = await stack.enter_async_context(AsyncExitStack())
        yield Process(ground, running, telemetry, clients)


def _engine(stack: AsyncExitStack, database: Database, role: str) -> AsyncEngine:
    """Make an engine with the rights that a role has."""
    options: dict[str, Any] = {"server_settings": {"role": role}}
    engine = create_async_engine(database.url, connect_args=options, pool_size=12)
    stack.push_async_callback(engine.dispose)
    return engine


async def _migrate(database: Database) -> None:
    roles = {"owner_role": f"{SERVICE}_owner", "runtime_role": f"{SERVICE}_runtime"}
    async with database.engine.begin() as connection:
        for role in roles.values():
            # Roles are the whole server's: another test of this worker may have made them.
            await connection.execute(
                text(
                    f"do $$ begin create role {role} nologin; "
                    "exception when duplicate_object then null; end $$"
                )
            )
    await eventstore.postgres.migrate.migrate(database.engine, SERVICE, **roles)
    await messaging.migrate.migrate(database.engine, SERVICE, **roles)
    await sealing.keyring.migrate.prepare(database.engine)
    await sealing.keyring.migrate.migrate(database.engine)
