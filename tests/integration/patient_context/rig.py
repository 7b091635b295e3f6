"""The service on real PostgreSQL, NATS and OpenBao, and who calls it."""

from collections.abc import AsyncIterator, Iterable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeAlias
from uuid import uuid4

from careline.log.events.v1.events_pb2 import Disclosed
from careline.patient_context.v1 import consent_service_pb2_grpc as consents_grpc
from careline.patient_context.v1 import ingest_service_pb2 as ingest_pb2
from careline.patient_context.v1 import ingest_service_pb2_grpc as ingest_grpc
from careline.patient_context.v1 import patient_service_pb2_grpc as patients_grpc
from conftest import Database, Nats
from eventstore.event import RecordedEvent
from eventstore.postgres import PostgresEventLog
from integration.runtime.rig import FixedToken
from integration.runtime.vault_rig import VaultRig
from integration.service_schemas import migrated
from messaging.permissions import service_permissions
from messaging.replication import StreamReplication
from messaging.streams import provision
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from patient_context.compose import PATIENT_CONTEXT
from patient_context.settings import PatientContextSettings
from runtime.addresses import ServerUrl
from runtime.channel import open_channel
from runtime.new_id import new_id
from runtime.outgoing import CallFor, Outgoing
from runtime.principal import Principal, PrincipalKind
from runtime.purpose_of_use import PurposeOfUse
from runtime.service import Serving, serving
from runtime.service_messaging import NatsAccess, ServiceMessaging
from runtime.service_parts import ServiceParts
from runtime.telemetry.event_spans import EventSpans
from runtime.telemetry.telemetry import Telemetry, collected_in_process
from runtime.testing.local_keys import LocalKeys
from runtime.testing.local_parts import local_settings
from runtime.tokens.caller_assertion import CallerAssertion, CallerAssertionSigner, CallerLevel
from runtime.tokens.token import TokenIssuer
from runtime.vault.transit import KeyringTransit
from sealing.keyring import Keyring
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

SERVICE = "patient_context"
DEMO, OTHER = "demo", "other"
PART = 256 * 1024
BUNDLE = ingest_pb2.IngestResourcesRequest.FORMAT_BUNDLE
NDJSON = ingest_pb2.IngestResourcesRequest.FORMAT_NDJSON
Format: TypeAlias = "ingest_pb2.IngestResourcesRequest.Format.ValueType"
Answers = list[ingest_pb2.IngestResourcesResponse]


@dataclass(frozen=True, slots=True)
class Client:
    """One principal's stubs of everything that the service serves."""

    principal: Principal
    patients: patients_grpc.PatientServiceStub
    consents: consents_grpc.ConsentServiceStub
    ingest: ingest_grpc.IngestServiceStub

    async def bring(self, *files: bytes | Path, kind: Format = BUNDLE) -> Answers:
        """Ingest files of one format in one stream."""
        return [answer async for answer in self.ingest.IngestResources(_parts(files, kind))]


async def _parts(
    files: Iterable[bytes | Path], kind: Format
) -> AsyncIterator[ingest_pb2.IngestResourcesRequest]:
    for number, file in enumerate(files):
        content = file.read_bytes() if isinstance(file, Path) else file
        for begin in range(0, max(len(content), 1), PART):
            part = ingest_pb2.IngestResourcesRequest(
                file=number,
                part=content[begin : begin + PART],
                last=begin + PART >= len(content),
            )
            if begin == 0:
                part.format = kind
            yield part


@dataclass(frozen=True, slots=True)
class Ground:
    """What outlives a process of the service: its databases, its stream, its keys."""

    database: Database
    log_engine: AsyncEngine
    queries: AsyncEngine
    keyring_engine: AsyncEngine
    transit: KeyringTransit
    keys: LocalKeys
    nats: Nats
    credentials: str

    async def rows(self, query: str) -> list[Any]:
        """Read as superuser."""
        async with self.database.engine.connect() as connection:
            return list(await connection.execute(text(query)))

    async def count(self, table: str, tenant: str = DEMO) -> int:
        (row,) = await self.rows(
            f"select count(*) as n from patient_context.{table} where tenant = '{tenant}'"  # noqa: S608
        )
        return int(row.n)


@dataclass(slots=True)
class Process:
    """A running process of the service."""

    ground: Ground
    serving: Serving[PatientContextSettings]
    keyring: Keyring
    telemetry: Telemetry
    stack: AsyncExitStack

    async def operator(self, tenant: str = DEMO, purpose: str = "") -> Client:
        principal = Principal(PrincipalKind.OPERATOR, "operators/local", frozenset({tenant}))
        return await self.client(principal, CallFor(purpose=purpose), "token-operator")

    async def agent(
        self, *roles: str, tenant: str = DEMO, purpose: str = "TREAT", assertion: str = ""
    ) -> Client:
        principal = Principal(
            PrincipalKind.AGENT,
            f"agents/{new_id()}",
            frozenset({tenant}),
            roles=frozenset(roles or ("agent",)),
            session=str(uuid4()),
        )
        call_for = CallFor(purpose=purpose, caller_assertion=assertion)
        return await self.client(principal, call_for, "token-identity")

    async def client(self, principal: Principal, call_for: CallFor, key: str) -> Client:
        token = await TokenIssuer(self.ground.keys, key).issue(principal, 600)
        outgoing = Outgoing(
            FixedToken(token),
            self.telemetry,
            default=call_for,
            names_tenant=False,
            timeout=50,
            stream_timeout=600,
        )
        channel = await self.stack.enter_async_context(
            open_channel(f"127.0.0.1:{self.serving.server.port}", outgoing)
        )
        return Client(
            principal,
            patients_grpc.PatientServiceStub(channel),
            consents_grpc.ConsentServiceStub(channel),
            ingest_grpc.IngestServiceStub(channel),
        )

    async def assertion(
        self, patient: str, conversation: str, level: CallerLevel, tenant: str = DEMO
    ) -> str:
        """Have identity vouch for a caller."""
        signer = CallerAssertionSigner(self.ground.keys)
        return await signer.sign(
            CallerAssertion(tenant, conversation, patient, level, PurposeOfUse.TREAT)
        )

    async def events(self, tenant: str = DEMO, kind: str = "") -> list[RecordedEvent]:
        log = self.serving.runtime.log
        return [
            event
            async for event in log.read_log()
            if event.stream.tenant == tenant and event.type.endswith(kind)
        ]

    async def disclosures(self, patient: str = "", tenant: str = DEMO) -> list[Disclosed]:
        found = [
            Disclosed.FromString(event.data) for event in await self.events(tenant, ".Disclosed")
        ]
        return [one for one in found if not patient or one.patient == patient]


@asynccontextmanager
async def ground_on(database: Database, vault: VaultRig, nats: Nats) -> AsyncIterator[Ground]:
    """Migrate the schemas, make the logins and the stream, and sign in with Vault."""
    await migrated(database, SERVICE)
    for tenant in (DEMO, OTHER):
        vault.root.secrets.transit.create_key(f"tenant-{tenant}", key_type="aes256-gcm96")
    async with AsyncExitStack() as stack:
        log_engine = await _login(database, stack, f"{SERVICE}_runtime")
        queries = await _login(database, stack, f"{SERVICE}_runtime")
        keyring = await _login(database, stack, "keyring_runtime", "keyring_eraser")
        client = await nats.connect()
        stack.push_async_callback(client.close)
        streams = client.jetstream()
        if f"CARELINE_{SERVICE.upper()}" in [
            one.config.name for one in await streams.streams_info()
        ]:
            await streams.delete_stream(f"CARELINE_{SERVICE.upper()}")
        await provision(streams, [SERVICE], [])
        permissions = service_permissions(SERVICE, ())
        credentials = nats.operator.platform.credentials(SERVICE, permissions).text
        session = await stack.enter_async_context(vault.session())
        transit = KeyringTransit(session)
        yield Ground(
            database, log_engine, queries, keyring, transit, LocalKeys(), nats, credentials
        )


@asynccontextmanager
async def process_on(
    ground: Ground, *, replicated: bool = True, **settings: object
) -> AsyncIterator[Process]:
    """Run the service as its compose.py makes it, publishing to its stream if `replicated`."""
    async with AsyncExitStack() as stack:
        telemetry = await stack.enter_async_context(
            collected_in_process(SERVICE, InMemorySpanExporter())
        )
        keyring = await stack.enter_async_context(Keyring(ground.keyring_engine, ground.transit))
        gate = StreamReplication(ground.queries, SERVICE) if replicated else None
        log = await stack.enter_async_context(
            PostgresEventLog(ground.log_engine, SERVICE, replication=gate)
        )
        parts = ServiceParts(
            telemetry,
            log,
            ground.queries,
            keyring,
            ground.keys,
            messaging=_messaging(ground, log, telemetry, gate) if gate else None,
        )
        chosen = local_settings(PatientContextSettings, SERVICE, **settings)
        running = await stack.enter_async_context(serving(PATIENT_CONTEXT, chosen, parts))
        clients = await stack.enter_async_context(AsyncExitStack())
        yield Process(ground, running, keyring, telemetry, clients)


def _messaging(
    ground: Ground, log: PostgresEventLog, telemetry: Telemetry, gate: StreamReplication
) -> ServiceMessaging:
    async def credentials() -> str:
        return ground.credentials

    return ServiceMessaging(
        SERVICE,
        NatsAccess(ServerUrl.parse(ground.nats.url), credentials),
        log,
        lambda _: ground.queries,
        EventSpans(telemetry.tracer, SERVICE),
        gate,
    )


async def _login(database: Database, stack: AsyncExitStack, *roles: str) -> AsyncEngine:
    """Make a login as Vault does, and an engine that uses it."""
    name, password = f"login_{uuid4().hex}", uuid4().hex
    async with database.engine.begin() as connection:
        login = f"CREATE ROLE {name} LOGIN PASSWORD '{password}' IN ROLE {', '.join(roles)}"
        await connection.execute(text(login))

    async def drop() -> None:
        async with database.engine.begin() as connection:
            await connection.execute(text(f"DROP ROLE {name}"))

    stack.push_async_callback(drop)
    engine = create_async_engine(database.url.set(username=name, password=password), pool_size=12)
    stack.push_async_callback(engine.dispose)
    return engine
