"""Audit on real PostgreSQL, NATS and OpenBao, beside the logs it follows, and who asks it."""

from collections.abc import AsyncIterator, Iterable
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import uuid4

import eventstore.postgres.migrate
import grpc
import messaging.migrate
import sealing.keyring.migrate
from audit.compose import AUDIT
from audit.settings import CONSUMES, AuditSettings
from careline.audit.v1 import audit_service_pb2 as pb2
from careline.audit.v1.audit_service_pb2_grpc import AuditServiceStub
from careline.log.events.v1.events_pb2 import Disclosed
from careline.log.v1.log_service_pb2_grpc import LogServiceStub
from careline.log.v1.recorded_event_pb2 import PRINCIPAL_KIND_AGENT, Actor, EventMetadata
from conftest import Database
from eventstore.event import NewEvent, RecordedEvent
from eventstore.event_log import Write
from eventstore.expected_revision import ExpectedRevision
from eventstore.postgres import PostgresEventLog
from eventstore.stream_id import StreamId
from integration.bad_calls import REFUSED, Caller, log_unchanged
from integration.messaging.log_rig import LogRig, service_log
from integration.messaging.nats_rig import NatsRig
from integration.runtime.rig import FixedToken
from integration.runtime.vault_rig import VaultRig
from messaging.dead_letters import DeadLetter, DeadLetters
from messaging.names import stream_name, stream_subjects
from messaging.relay import Relay
from nats.js.api import StreamConfig
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from runtime.addresses import Peers, ServerUrl
from runtime.background import beside
from runtime.database.migrations import migrate_service
from runtime.interceptors.client import client_interceptors
from runtime.new_id import new_id
from runtime.outgoing import CallFor, Outgoing
from runtime.principal import Principal, PrincipalKind, service_principal
from runtime.service import Serving, serving
from runtime.service_messaging import NatsAccess, ServiceMessaging
from runtime.service_names import SERVICES
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

SERVICE = "audit"
DEMO, OTHER = "demo", "other"
SOURCES = tuple(one for one in SERVICES if one != SERVICE)
DISCLOSED = Disclosed.DESCRIPTOR.full_name
NOWHERE = "127.0.0.1:9"


def agent_name() -> str:
    return f"agents/{new_id()}"


def patient_name() -> str:
    return f"patients/{new_id()}"


@dataclass(frozen=True, slots=True)
class Client:
    """One principal's stubs of everything that the service serves."""

    principal: Principal
    audit: AuditServiceStub
    log: LogServiceStub

    async def accesses(self, **query: Any) -> list[pb2.Access]:  # noqa: ANN401 - a request's fields
        answer = await self.audit.ListAccesses(pb2.ListAccessesRequest(**query))
        return list(answer.accesses)

    async def actions(self, **query: Any) -> list[pb2.RecordedAction]:  # noqa: ANN401 - the same
        answer = await self.audit.ListActions(pb2.ListActionsRequest(**query))
        return list(answer.actions)

    async def coverage(self) -> dict[str, pb2.GetCoverageResponse.Coverage]:
        answer = await self.audit.GetCoverage(pb2.GetCoverageRequest())
        return {one.service: one for one in answer.coverage}

    async def follows(self, service: str, position: int) -> None:
        """Have audit wait until the trail has a service's log up to a position."""
        await self.accesses(
            patient="patients/none", at_least_service=service, at_least=position, page_size=1
        )


@dataclass(frozen=True, slots=True)
class Fact:
    """An event of a service's log, and where it landed."""

    service: str
    event: NewEvent
    stream: str
    position: int

    @property
    def trace_id(self) -> str:
        return EventMetadata.FromString(self.event.metadata).traceparent.split("-")[1]


@dataclass(frozen=True, slots=True)
class Ground:
    """What outlives a process of audit: the logs it follows, its database, NATS, keys."""

    database: Database
    keyring: Keyring
    keys: LocalKeys
    nats: NatsRig
    logs: dict[str, LogRig]

    async def happens(
        self,
        service: str,
        *,
        tenant: str = DEMO,
        actor: str = "",
        purpose: str = "TREAT",
        metadata: bytes | None = None,
    ) -> Fact:
        """Have a service do something, which is an event of its log."""
        about = EventMetadata(
            actor=Actor(kind=PRINCIPAL_KIND_AGENT, name=actor or agent_name()),
            purpose_of_use=purpose,
            action=f"{service}.doSomething",
            traceparent=f"00-{uuid4().hex}-b7ad6b7169203331-01",
        ).SerializeToString()
        event = NewEvent(
            new_id(), f"careline.{service}.events.v1.Happened", b"sealed", about, bytes(32)
        )
        if metadata is not None:
            event = NewEvent(event.id, event.type, event.data, metadata, event.digest)
        return await self.append(service, tenant, f"things/{new_id()}", event)

    async def discloses(
        self,
        service: str,
        patient: str,
        recipient: str,
        *,
        tenant: str = DEMO,
        at: datetime | None = None,
    ) -> Fact:
        """Have a service record, as runtime does, that somebody sees a patient's data."""
        actor = Actor(kind=PRINCIPAL_KIND_AGENT, name=recipient)
        disclosed = Disclosed(
            patient=patient,
            recipient=actor,
            purpose_of_use="TREAT",
            resource_types=["Patient", "Condition"],
            conversation="conversations/0197",
            caller_level="VERIFIED",
        )
        disclosed.disclose_time.FromDatetime(at or datetime.now(UTC))
        about = EventMetadata(
            actor=actor,
            purpose_of_use="TREAT",
            action=f"{service}.getSomething",
            traceparent=f"00-{uuid4().hex}-b7ad6b7169203331-01",
        )
        event = NewEvent(
            new_id(),
            DISCLOSED,
            disclosed.SerializeToString(),
            about.SerializeToString(),
            bytes(32),
        )
        return await self.append(service, tenant, f"disclosures/{new_id()}", event)

    async def append(self, service: str, tenant: str, stream: str, event: NewEvent) -> Fact:
        appended = await self.logs[service].log.append(
            Write(StreamId(tenant, stream), ExpectedRevision.ANY, (event,))
        )
        return Fact(service, event, stream, appended.position)

    async def dead_letters(self) -> list[DeadLetter]:
        return await DeadLetters(self.database.engine, SERVICE).list()

    async def forgets_its_positions(self) -> None:
        """Have audit begin each log anew, as after a loss of what it had noted of them."""
        async with self.database.engine.begin() as connection:
            await connection.execute(text("delete from audit.consumer_position"))
        async with await self.nats.connect(self.nats.administrator()) as client:
            for one in CONSUMES:
                await client.jetstream().delete_consumer(one.stream, one.durable)
        await self.nats.provision((), CONSUMES)


@dataclass(slots=True)
class Process:
    """A running process of audit."""

    ground: Ground
    serving: Serving[AuditSettings]
    telemetry: Telemetry
    spans: InMemorySpanExporter
    stack: AsyncExitStack
    _auditors: dict[str, Client] = field(default_factory=dict)

    async def auditor(self, tenant: str = DEMO) -> Client:
        if tenant not in self._auditors:
            self._auditors[tenant] = await self.agent("auditor", tenant=tenant)
        return self._auditors[tenant]

    async def agent(self, *roles: str, tenant: str = DEMO) -> Client:
        principal = Principal(
            PrincipalKind.AGENT,
            agent_name(),
            frozenset({tenant}),
            roles=frozenset(roles or ("agent",)),
            session=str(uuid4()),
        )
        return await self.client(principal)

    async def frontend(self, tenant: str = DEMO) -> Client:
        name = f"serviceAccounts/{new_id()}"
        return await self.client(Principal(PrincipalKind.FRONTEND, name, frozenset({tenant})))

    async def operator(self, tenant: str = DEMO) -> Client:
        return await self.client(
            Principal(PrincipalKind.OPERATOR, "operators/local", frozenset({tenant}))
        )

    async def service(self, name: str, tenant: str = DEMO) -> Client:
        return await self.client(service_principal(name), CallFor(tenant=tenant))

    async def client(self, principal: Principal, call_for: CallFor | None = None) -> Client:
        caller = self.caller(principal)
        token = await TokenIssuer(caller.signer, caller.key).issue(principal, 600)
        outgoing = Outgoing(
            FixedToken(token),
            self.telemetry,
            default=call_for,
            names_tenant=call_for is not None,
            timeout=30,
        )
        # Without retries: a test sees each answer as it is.
        channel: grpc.aio.Channel = await self.stack.enter_async_context(
            grpc.aio.insecure_channel(
                f"127.0.0.1:{self.serving.server.port}", interceptors=client_interceptors(outgoing)
            )
        )
        return Client(principal, AuditServiceStub(channel), LogServiceStub(channel))

    def caller(self, principal: Principal) -> Caller:
        key = {
            PrincipalKind.OPERATOR: "token-operator",
            PrincipalKind.SERVICE: f"token-{principal.name.removeprefix('services/')}",
        }.get(principal.kind, "token-identity")
        return Caller(self.serving.server.port, self.ground.keys, key, principal)

    async def log(self) -> list[RecordedEvent]:
        """Give all entries, but for refusals, which leave a record of themselves."""
        log = self.serving.runtime.log
        return [event async for event in log.read_log() if event.type != REFUSED]

    async def entries_of(self, *facts: Fact) -> list[pb2.RecordedAction]:
        """Give the entries of facts of the tenant demo, once audit has followed all of them."""
        auditor = await self.auditor()
        for fact in facts:
            await auditor.follows(fact.service, fact.position)
        ids = {str(fact.event.id) for fact in facts}
        return [
            entry
            for fact in facts
            for entry in await auditor.actions(stream=fact.stream)
            if entry.event_id in ids
        ]

    def unchanged(self) -> AbstractAsyncContextManager[None]:
        """Hold that the block appends nothing but who was refused by policy."""
        return log_unchanged(self.ground.database.engine, SERVICE)


@asynccontextmanager
async def ground_on(
    database: Database,
    vault: VaultRig,
    folder: Path,
    *,
    keys: LocalKeys | None = None,
    sources: Iterable[str] = SOURCES,
    lossy: Iterable[str] = (),
) -> AsyncIterator[Ground]:
    """Provision everything, and run the logs and relays of `sources`.

    Messages may be deleted from the streams of `lossy`, as ours do not let.
    """
    await _migrate(database)
    for tenant in (DEMO, OTHER):
        vault.root.secrets.transit.create_key(f"tenant-{tenant}", key_type="aes256-gcm96")
    async with AsyncExitStack() as stack:
        nats = NatsRig(folder)
        stack.push_async_callback(nats.stop)
        await nats.start()
        async with await nats.connect(nats.administrator()) as administrator:
            for one in lossy:
                config = StreamConfig(name=stream_name(one), subjects=[stream_subjects(one)])
                await administrator.jetstream().add_stream(config)
        await nats.provision([one for one in SERVICES if one not in lossy], CONSUMES)
        session = await stack.enter_async_context(vault.session())
        keyring = await stack.enter_async_context(
            Keyring(_engine(stack, database, "keyring_runtime"), KeyringTransit(session))
        )
        logs = {one: await _relayed(stack, database, nats, one) for one in sources}
        yield Ground(database, keyring, keys or LocalKeys(), nats, logs)


@asynccontextmanager
async def process_on(ground: Ground, peers: dict[str, str] | None = None) -> AsyncIterator[Process]:
    """Run audit as its compose.py makes it. `peers` serve their logs, the others are away."""
    spans = InMemorySpanExporter()
    async with AsyncExitStack() as stack:
        telemetry = await stack.enter_async_context(collected_in_process(SERVICE, spans))
        queries = _engine(stack, ground.database, f"{SERVICE}_runtime")
        log = await stack.enter_async_context(
            PostgresEventLog(_engine(stack, ground.database, f"{SERVICE}_runtime"), SERVICE)
        )
        credentials = ground.nats.service(SERVICE, CONSUMES).text

        async def text_of() -> str:
            return credentials

        relaying = ServiceMessaging(
            SERVICE,
            NatsAccess(ServerUrl.parse(ground.nats.servers[0]), text_of),
            log,
            lambda size: _engine(stack, ground.database, f"{SERVICE}_runtime", size),
            EventSpans(telemetry.tracer, SERVICE),
        )
        parts = ServiceParts(
            telemetry, log, queries, ground.keyring, ground.keys, messaging=relaying
        )
        known = Peers(dict.fromkeys(SOURCES, NOWHERE) | (peers or {}))
        chosen = local_settings(AuditSettings, SERVICE, peers=known)
        running = await stack.enter_async_context(serving(AUDIT, chosen, parts))
        clients = await stack.enter_async_context(AsyncExitStack())
        yield Process(ground, running, telemetry, spans, clients)


async def _relayed(
    stack: AsyncExitStack, database: Database, nats: NatsRig, service: str
) -> LogRig:
    """Make a service's log and run its relay."""
    rig = await stack.enter_async_context(service_log(database.engine, service))
    client = await stack.enter_async_context(await nats.connect(nats.service(service)))
    relay = Relay(rig.log, rig.engine, rig.schema, service, client)
    await stack.enter_async_context(beside(relay.run))
    return rig


def _engine(stack: AsyncExitStack, database: Database, role: str, size: int = 12) -> AsyncEngine:
    """Make an engine with the rights that a role has."""
    options: dict[str, Any] = {"server_settings": {"role": role}}
    engine = create_async_engine(database.url, connect_args=options, pool_size=size)
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
        # Builds of projections are schemas of their own.
        await connection.execute(
            text(f'grant create on database "{database.name}" to {roles["owner_role"]}')
        )
    await eventstore.postgres.migrate.migrate(database.engine, SERVICE, **roles)
    await messaging.migrate.migrate(database.engine, SERVICE, **roles)
    await migrate_service(database.engine, SERVICE)
    await sealing.keyring.migrate.prepare(database.engine)
    await sealing.keyring.migrate.migrate(database.engine)
