"""The service on a real PostgreSQL and keys wrapped by a real OpenBao, and who calls it."""

from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

from careline.conversations.v1 import call_service_pb2_grpc as calls_grpc
from careline.conversations.v1 import conversation_service_pb2_grpc as conversations_grpc
from careline.conversations.v1 import delivery_service_pb2_grpc as deliveries_grpc
from careline.log.v1.recorded_event_pb2 import EventMetadata
from careline.routing.events.v1.events_pb2 import OfferAccepted
from conftest import Database
from conversations.adapters.tables import metadata
from conversations.application.commands import Commands
from conversations.application.reactions import RoutingReactions
from conversations.compose import CONVERSATIONS
from conversations.settings import ROUTING, ConversationsSettings
from eventstore.event import RecordedEvent
from eventstore.postgres import PostgresEventLog
from eventstore.stream_id import StreamId
from google.protobuf.message import Message
from integration.runtime.rig import FixedToken, eventually
from integration.runtime.vault_rig import VaultRig
from integration.service_schemas import engine_as, migrated
from messaging.received_event import ReceivedEvent
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from runtime.channel import open_channel
from runtime.new_id import new_id
from runtime.outgoing import CallFor, Outgoing
from runtime.principal import Principal, PrincipalKind, service_principal
from runtime.reactions import Reaction
from runtime.service import Serving, serving
from runtime.service_messaging import ServiceMessaging
from runtime.service_parts import ServiceParts
from runtime.telemetry.event_spans import EventSpans
from runtime.telemetry.telemetry import Telemetry, collected_in_process
from runtime.testing.local_keys import LocalKeys
from runtime.testing.local_parts import local_settings
from runtime.tokens.token import TokenIssuer
from runtime.vault.transit import KeyringTransit
from sealing.keyring import Erasure, Keyring
from sqlalchemy import func, select, text
from sqlalchemy.ext.asyncio import AsyncEngine

SERVICE = "conversations"
DEMO, OTHER = "demo", "other"
TENANTS = (DEMO, OTHER)
PROJECTIONS = ("listing", "outbox")
MessagingOf = Callable[[PostgresEventLog, Telemetry], ServiceMessaging]


@dataclass(frozen=True, slots=True)
class Client:
    """One principal's stubs of everything that the service serves."""

    principal: Principal
    call_for: CallFor
    conversations: conversations_grpc.ConversationServiceStub
    calls: calls_grpc.CallServiceStub
    deliveries: deliveries_grpc.DeliveryServiceStub

    @property
    def name(self) -> str:
        return self.principal.name


@dataclass(frozen=True, slots=True)
class Ground:
    """What outlives a process of the service: its database, its keys."""

    database: Database
    log_engine: AsyncEngine
    queries: AsyncEngine
    keyring: Keyring
    transit: KeyringTransit
    keys: LocalKeys

    async def rows(self, query: str, **values: object) -> list[Any]:
        """Read as superuser."""
        async with self.database.engine.connect() as connection:
            return list(await connection.execute(text(query), values))

    async def execute(self, statement: str) -> None:
        """Do as superuser what no service may do."""
        async with self.database.engine.begin() as connection:
            await connection.execute(text(statement))

    async def erase(self, patient: str, tenant: str = DEMO) -> Erasure:
        """Erase as patient_context does, and have this process forget the keys."""
        async with Keyring(self.database.engine, self.transit) as eraser:
            erasure = await eraser.erase(tenant, patient, f"test:{new_id()}")
        self.keyring.forget(tenant, erasure.erased)
        return erasure


@dataclass(slots=True)
class Process:
    """A running process of the service."""

    ground: Ground
    serving: Serving[ConversationsSettings]
    telemetry: Telemetry
    spans: InMemorySpanExporter
    stack: AsyncExitStack
    reactions: RoutingReactions = field(init=False)
    reaction: Reaction = field(init=False)

    def __post_init__(self) -> None:
        runtime = self.serving.runtime
        commands = Commands(
            runtime.executor, runtime.requests, runtime.access, lambda: datetime.now(UTC)
        )
        self.reactions = RoutingReactions(commands, runtime.requests, ROUTING.durable)
        spans = EventSpans(self.telemetry.tracer, SERVICE)
        self.reaction = Reaction(spans, SERVICE, ROUTING.durable)

    async def frontend(self, *channels: str, tenant: str = DEMO, purpose: str = "TREAT") -> Client:
        principal = Principal(
            PrincipalKind.FRONTEND,
            f"serviceAccounts/{new_id()}",
            frozenset({tenant}),
            channels=frozenset(channels or ("SMS", "CHAT", "VOICE")),
        )
        return await self.client(principal, CallFor(purpose=purpose))

    async def agent(
        self, *roles: str, tenant: str = DEMO, purpose: str = "TREAT", name: str = ""
    ) -> Client:
        principal = Principal(
            PrincipalKind.AGENT,
            name or f"agents/{new_id()}",
            frozenset({tenant}),
            roles=frozenset(roles or ("agent",)),
            session=str(uuid4()),
        )
        return await self.client(principal, CallFor(purpose=purpose))

    async def same(self, client: Client, stack: AsyncExitStack | None = None) -> Client:
        """Let who called another process call this one, by a channel that the stack closes."""
        return await self.client(client.principal, client.call_for, stack)

    async def service(self, name: str, tenant: str = DEMO) -> Client:
        return await self.client(service_principal(name), CallFor(tenant=tenant))

    async def client(
        self, principal: Principal, call_for: CallFor, stack: AsyncExitStack | None = None
    ) -> Client:
        key = "token-identity"
        if principal.kind is PrincipalKind.SERVICE:
            key = f"token-{principal.name.removeprefix('services/')}"
        token = await TokenIssuer(self.ground.keys, key).issue(principal, 600)
        outgoing = Outgoing(
            FixedToken(token),
            self.telemetry,
            default=call_for,
            names_tenant=bool(call_for.tenant),
            stream_timeout=60,
        )
        channel = await (stack or self.stack).enter_async_context(
            open_channel(f"127.0.0.1:{self.serving.server.port}", outgoing)
        )
        return Client(
            principal,
            call_for,
            conversations_grpc.ConversationServiceStub(channel),
            calls_grpc.CallServiceStub(channel),
            deliveries_grpc.DeliveryServiceStub(channel),
        )

    async def accept(self, conversation: str, agent: str, tenant: str = DEMO) -> ReceivedEvent:
        """Have the service take in that an agent accepted the conversation's offer."""
        event = accepted_offer(conversation, agent, tenant)
        await self.take_in(event)
        return event

    async def take_in(self, event: ReceivedEvent) -> None:
        async with self.reaction.around(event), self.ground.queries.connect() as connection:
            await self.reactions.handle(connection, event)

    async def read_models_reach(self, position: int) -> None:
        """Wait until both read models have followed the log so far."""

        async def so_far() -> bool:
            rows = await self.ground.rows(
                "select 1 from conversations.projection_build where position >= :position",
                position=position,
            )
            return len(rows) == len(PROJECTIONS)

        await eventually(so_far)

    async def row_reaches(self, name: str, revision: int) -> None:
        """Wait until the list shows a conversation at this revision."""

        async def so_far() -> bool:
            return bool(
                await self.ground.rows(
                    "select 1 from conversations.conversation"
                    " where conversation = :name and revision >= :revision",
                    name=name,
                    revision=revision,
                )
            )

        await eventually(so_far)

    async def visible(self, table: str, name: str, tenant: str) -> int:
        """Count the rows of a conversation that the service's role sees for a tenant."""
        async with self.ground.queries.begin() as connection:
            await connection.execute(
                text("select set_config('careline.tenant', :tenant, true)"), {"tenant": tenant}
            )
            found = await connection.execute(
                select(func.count())
                .select_from(metadata.tables[f"conversations.{table}"])
                .where(metadata.tables[f"conversations.{table}"].c.conversation == name)
            )
            return int(found.scalar_one())

    async def events(self, stream: str, tenant: str = DEMO) -> list[RecordedEvent]:
        log = self.serving.runtime.log
        return [event async for event in log.read_stream(StreamId(tenant, stream))]

    async def messages(self, stream: str, tenant: str = DEMO) -> list[Message]:
        """Give a stream's events, opened."""
        opened = await self.serving.runtime.codec.open(await self.events(stream, tenant))
        return [one.message for one in opened]


def accepted_offer(conversation: str, agent: str, tenant: str = DEMO) -> ReceivedEvent:
    """Make routing's event, as its stream delivers it."""
    offer = OfferAccepted(offer=f"offers/{new_id()}", agent=agent, conversation=conversation)
    metadata = EventMetadata(
        correlation_id="0af76519-16cd-43dd-8448-eb211c80319c",
        traceparent="00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
    )
    return ReceivedEvent(
        source="routing",
        epoch=1,
        position=7,
        previous_position=6,
        stream=StreamId(tenant, f"contacts/{new_id()}"),
        revision=2,
        id=new_id(),
        type=OfferAccepted.DESCRIPTOR.full_name,
        data=offer.SerializeToString(),
        metadata=metadata.SerializeToString(),
        recorded_at=datetime.now(UTC),
        traceparent=metadata.traceparent,
        tracestate="",
    )


@asynccontextmanager
async def ground_on(database: Database, vault: VaultRig) -> AsyncIterator[Ground]:
    """Migrate the service's schema and the keyring's, and sign in with Vault."""
    await migrated(database, SERVICE)
    for tenant in TENANTS:
        vault.root.secrets.transit.create_key(f"tenant-{tenant}", key_type="aes256-gcm96")
    async with AsyncExitStack() as stack:
        engines = [
            engine_as(stack, database, role)
            for role in (f"{SERVICE}_runtime", f"{SERVICE}_runtime", "keyring_runtime")
        ]
        session = await stack.enter_async_context(vault.session())
        transit = KeyringTransit(session)
        keyring = await stack.enter_async_context(Keyring(engines[2], transit))
        yield Ground(database, engines[0], engines[1], keyring, transit, LocalKeys())


@asynccontextmanager
async def process_on(
    ground: Ground, messaging_of: MessagingOf | None = None, **settings: object
) -> AsyncIterator[Process]:
    """Run the service as its compose.py makes it."""
    spans = InMemorySpanExporter()
    async with AsyncExitStack() as stack:
        telemetry = await stack.enter_async_context(collected_in_process(SERVICE, spans))
        log = await stack.enter_async_context(PostgresEventLog(ground.log_engine, SERVICE))
        parts = ServiceParts(
            telemetry,
            log,
            ground.queries,
            ground.keyring,
            ground.keys,
            messaging=None if messaging_of is None else messaging_of(log, telemetry),
            snapshots=log.snapshots,
        )
        chosen = local_settings(ConversationsSettings, SERVICE, **settings)
        running = await stack.enter_async_context(serving(CONVERSATIONS, chosen, parts))
        clients = await stack.enter_async_context(AsyncExitStack())
        yield Process(ground, running, telemetry, spans, clients)
