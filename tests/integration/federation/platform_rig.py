"""Federation as it runs, on real servers, beside a log of conversations that is relayed to it."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import grpc
import hvac
from careline.conversations.events.v1 import events_pb2 as conversations_pb2
from careline.federation.v1.partner_service_pb2_grpc import PartnerServiceStub
from careline.log.v1.recorded_event_pb2 import EventMetadata
from conftest import Database, OpenBao
from eventstore.event_log import Write
from eventstore.expected_revision import ExpectedRevision
from eventstore.postgres import PostgresEventLog
from eventstore.stream_id import StreamId
from eventstore.testing.example_events import DIGEST, new_id
from federation.settings import CONSUMES
from google.protobuf.message import Message
from integration.federation.federation_process import Servers, federation_process
from integration.federation.vault_of_federation import federation_session, provision_vault
from integration.messaging.log_rig import LogRig
from integration.messaging.nats_rig import NatsRig
from integration.runtime.log_owner import serving_log
from integration.runtime.rig import FixedToken
from integration.service_schemas import migrated
from messaging.connect import NatsClient, connect
from messaging.relay import Relay
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from runtime.background import beside
from runtime.event_codec import LogCodec
from runtime.interceptors.client import client_interceptors
from runtime.outgoing import CallFor, Outgoing
from runtime.principal import Principal, PrincipalKind
from runtime.service import event_types
from runtime.telemetry.telemetry import collected_in_process
from runtime.testing.local_keys import LocalKeys
from runtime.tokens.token import TokenIssuer
from runtime.vault.transit import KeyringTransit
from sealing.event_codec import EventCodec
from sealing.keyring import Keyring
from sealing.sealer import Sealer
from sqlalchemy import text

TENANTS = ("demo", "other")
SERVICES = ("conversations", "federation")
_CALLERS = {
    PrincipalKind.OPERATOR: ("operators/local", "token-operator"),
    PrincipalKind.AGENT: ("agents/1", "token-identity"),
}


@dataclass(frozen=True, slots=True)
class PlatformRig:
    """What tests reach: the API, conversations' log, NATS, Vault, the tables."""

    servers: Servers
    vault: hvac.Client
    conversations: PostgresEventLog
    codec: LogCodec
    port: int
    stack: AsyncExitStack

    @property
    def nats(self) -> NatsRig:
        return self.servers.nats

    @property
    def log_rig(self) -> LogRig:
        admin = self.servers.database.engine
        return LogRig(admin, admin, "conversations", self.conversations)

    async def api(
        self,
        tenant: str = "demo",
        *,
        kind: PrincipalKind = PrincipalKind.OPERATOR,
        port: int | None = None,
    ) -> PartnerServiceStub:
        """Call as an operator of a tenant, or as another principal of it."""
        name, key = _CALLERS[kind]
        caller = Principal(kind, name, frozenset({tenant}), roles=frozenset({"agent"}))
        token = FixedToken(await TokenIssuer(self.servers.keys, key).issue(caller, 300))
        outgoing = Outgoing(
            token,
            self.servers.telemetry,
            default=CallFor(tenant),
            names_tenant=kind is PrincipalKind.OPERATOR,
            timeout=20,
        )
        # Without retries: a test sees each answer as it is.
        channel: grpc.aio.Channel = await self.stack.enter_async_context(
            grpc.aio.insecure_channel(
                f"127.0.0.1:{port or self.port}", interceptors=client_interceptors(outgoing)
            )
        )
        return PartnerServiceStub(channel)

    async def record(self, tenant: str, *events: Message) -> StreamId:
        """Append events of a new conversation, sealed as conversations seals them."""
        stream = StreamId(tenant, f"conversations/{new_id()}")
        ids = [new_id() for _ in events]
        metadata = EventMetadata(action="conversations.postMessage").SerializeToString()
        new = await self.codec.encode(stream, stream.name, ids, events, metadata, DIGEST)
        await self.conversations.append(Write(stream, ExpectedRevision.ANY, new))
        return stream

    async def rows(self, query: str, **values: object) -> list[tuple[object, ...]]:
        """Run a statement as superuser; gives the rows of one that returns some."""
        async with self.servers.database.engine.begin() as connection:
            result = await connection.execute(text(query), values)
            return [tuple(row) for row in result] if result.returns_rows else []

    async def connect(self, credentials: str) -> NatsClient:
        """Connect as a partner does."""
        return await connect(
            self.nats.servers, user="partner", creds=credentials, inbox="_INBOX", within=5
        )


@asynccontextmanager
async def platform_rig(
    database: Database, openbao: OpenBao, folder: Path
) -> AsyncIterator[PlatformRig]:
    """Run all of it; each rig has a NATS of its own, which tests may kill."""
    root = openbao.client()
    await migrated(database, *SERVICES)
    async with AsyncExitStack() as stack:
        nats = NatsRig(folder)
        stack.push_async_callback(nats.stop)
        await nats.start()
        await nats.provision(SERVICES, CONSUMES)
        provision_vault(root, nats.operator, TENANTS)
        vault = await stack.enter_async_context(federation_session(openbao, root, folder))
        keyring = await stack.enter_async_context(Keyring(database.engine, KeyringTransit(vault)))
        telemetry = await stack.enter_async_context(
            collected_in_process("federation", InMemorySpanExporter())
        )
        conversations = await _conversations(stack, database, nats)
        keys = LocalKeys()
        owner = await stack.enter_async_context(serving_log(conversations, keys))
        servers = Servers(database, nats, vault, keyring, keys, telemetry, owner)
        types = event_types((conversations_pb2,))
        codec = LogCodec(EventCodec(Sealer(keyring), "conversations", types))
        port = await stack.enter_async_context(federation_process(servers))
        channels = await stack.enter_async_context(AsyncExitStack())
        yield PlatformRig(servers, root, conversations, codec, port, channels)


async def _conversations(
    stack: AsyncExitStack, database: Database, nats: NatsRig
) -> PostgresEventLog:
    """Run conversations' log and its relay."""
    log = await stack.enter_async_context(PostgresEventLog(database.engine, "conversations"))
    client = await stack.enter_async_context(await nats.connect(nats.service("conversations")))
    relay = Relay(log, database.engine, "conversations", "conversations", client)
    await stack.enter_async_context(beside(relay.run))
    return log
