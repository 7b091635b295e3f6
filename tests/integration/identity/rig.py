"""Identity on real PostgreSQL, OpenBao and NATS, beside what is around it, and who calls it."""

import base64
from collections.abc import AsyncIterator, Awaitable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from functools import partial
from importlib.resources import files
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import grpc
import pytest
from careline.identity.events.v1 import events_pb2
from careline.identity.v1 import agent_service_pb2 as agents_pb2
from careline.identity.v1 import token_service_pb2 as tokens_pb2
from careline.identity.v1.agent_service_pb2_grpc import AgentServiceStub
from careline.identity.v1.caller_verification_service_pb2_grpc import (
    CallerVerificationServiceStub,
)
from careline.identity.v1.token_service_pb2_grpc import TokenServiceStub
from conftest import Database
from embedded import write_private
from eventstore.event import RecordedEvent
from eventstore.postgres import PostgresEventLog
from eventstore.stream_id import StreamId
from google.protobuf.message import Message
from identity.compose import compose
from identity.domain import totp
from identity.settings import CONSUMES, IdentitySettings
from integration.identity.neighbours import (
    Outbox,
    PatientLog,
    patient_log,
    serving_outbox,
)
from integration.messaging.nats_rig import NatsRig
from integration.refusals import request_id
from integration.runtime.log_owner import serving_log
from integration.runtime.rig import FixedToken
from integration.runtime.vault_rig import VaultRig
from integration.service_schemas import engine_as, migrated
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from runtime.addresses import Peers, ServerUrl
from runtime.channel import open_channel
from runtime.errors import status_from
from runtime.new_id import new_id
from runtime.outgoing import CallFor, Outgoing
from runtime.principal import Principal, PrincipalKind
from runtime.secret_reference import SecretFile
from runtime.service import Service, Serving, serving
from runtime.service_messaging import NatsAccess, ServiceMessaging
from runtime.service_parts import ServiceParts
from runtime.telemetry.event_spans import EventSpans
from runtime.telemetry.telemetry import Telemetry, collected_in_process
from runtime.testing.local_parts import local_settings
from runtime.tokens.token import TokenIssuer
from runtime.vault.session import VaultSession
from runtime.vault.sign_in import AppRoleSignIn
from runtime.vault.transit import KeyringTransit, TransitSigner
from sealing.keyring import Keyring
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

DEMO, OTHER = "demo", "other"
PASSWORD = "plover kettle anvil"
SIGNING_KEYS = ("token-identity", "assertion-identity", "token-operator", "token-routing")


async def whole_refusal(call: Awaitable[Any]) -> tuple[grpc.StatusCode, bytes]:
    """Give all that a refused caller learns: code and status with its details."""
    with pytest.raises(grpc.aio.AioRpcError) as raised:
        await call
    status = status_from(raised.value)
    assert status is not None
    return raised.value.code(), status.SerializeToString(deterministic=True)


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
    """One caller's stubs of everything that identity serves."""

    name: str
    agents: AgentServiceStub
    tokens: TokenServiceStub
    callers: CallerVerificationServiceStub


@dataclass(frozen=True, slots=True)
class AgentAccount:
    """An agent as somebody who knows all of it."""

    name: str
    user_name: str
    password: str
    seed: bytes


@dataclass(frozen=True, slots=True)
class Ground:
    """What outlives a process of identity."""

    database: Database
    keyring: Keyring
    keys: TransitSigner
    nats: NatsRig
    telemetry: Telemetry
    clock: Clock
    settings: IdentitySettings


@dataclass(slots=True)
class Rig:
    """A running identity and its surroundings."""

    serving: Serving[IdentitySettings]
    ground: Ground
    outbox: Outbox
    patients: PatientLog
    operator_keys: TransitSigner
    spans: InMemorySpanExporter
    stack: AsyncExitStack
    vault: VaultRig
    principals: dict[str, tuple[Principal, str, CallFor]] = field(default_factory=dict)

    @property
    def clock(self) -> Clock:
        return self.ground.clock

    @property
    def database(self) -> Database:
        return self.ground.database

    @property
    def queries(self) -> AsyncEngine:
        return self.serving.runtime.queries

    @asynccontextmanager
    async def another_process(self) -> AsyncIterator["Rig"]:
        """Run a second process beside the first, on the same servers."""
        async with identity_process(self.ground) as running:
            yield replace(self, serving=running)

    async def as_also(self, client: Client) -> Client:
        """Call this process as somebody who calls the other one."""
        return await self.principal(*self.principals[client.name])

    async def anonymous(self) -> Client:
        return await self._client("", None, CallFor())

    async def operator(self, tenant: str = DEMO) -> Client:
        principal = Principal(PrincipalKind.OPERATOR, "operators/local", frozenset({tenant}))
        return await self.principal(principal, "token-operator", CallFor(tenant=tenant))

    async def frontend(self, *channels: str, tenant: str = DEMO, purpose: str = "TREAT") -> Client:
        """Call as a service account whose token another process of identity signed."""
        principal = Principal(
            PrincipalKind.FRONTEND,
            f"serviceAccounts/{new_id()}",
            frozenset({tenant}),
            channels=frozenset(channels or ("SMS", "CHAT", "VOICE")),
        )
        return await self.principal(principal, "token-identity", CallFor(purpose=purpose))

    async def agent(self, *roles: str, tenant: str = DEMO, name: str = "") -> Client:
        principal = Principal(
            PrincipalKind.AGENT,
            name or f"agents/{new_id()}",
            frozenset({tenant}),
            roles=frozenset(roles or ("agent",)),
            session=str(new_id()),
        )
        return await self.principal(principal, "token-identity", CallFor())

    async def principal(self, principal: Principal, key: str, call_for: CallFor) -> Client:
        token = await TokenIssuer(self.operator_keys, key).issue(principal, 3600)
        self.principals[principal.name] = (principal, key, call_for)
        return await self._client(principal.name, token, call_for)

    async def with_token(self, token: str) -> Client:
        return await self._client("", token, CallFor())

    async def _client(self, name: str, token: str | None, call_for: CallFor) -> Client:
        outgoing = Outgoing(
            None if token is None else FixedToken(token),
            self.ground.telemetry,
            default=call_for,
            names_tenant=bool(call_for.tenant),
            timeout=30,
        )
        channel = await self.stack.enter_async_context(
            open_channel(f"127.0.0.1:{self.serving.server.port}", outgoing)
        )
        return Client(
            name,
            AgentServiceStub(channel),
            TokenServiceStub(channel),
            CallerVerificationServiceStub(channel),
        )

    async def new_agent(
        self, *roles: str, tenant: str = DEMO, password: str = PASSWORD
    ) -> AgentAccount:
        """Have an operator make an agent with an authenticator."""
        operator = await self.operator(tenant)
        user_name = f"user-{new_id().hex[-12:]}"
        created = await operator.agents.CreateAgent(
            agents_pb2.CreateAgentRequest(
                request_id=request_id(),
                agent=agents_pb2.Agent(
                    user_name=user_name, display_name="Nora Abara", roles=roles or ("agent",)
                ),
                password=password,
            )
        )
        enrolled = await operator.agents.EnrollTotp(
            agents_pb2.EnrollTotpRequest(request_id=request_id(), agent=created.agent.name)
        )
        return AgentAccount(created.agent.name, user_name, password, seed_in(enrolled.otpauth_uri))

    async def sign_in(
        self, user_name: str, password: str, *, tenant: str = DEMO, request: str = ""
    ) -> agents_pb2.SignInResponse:
        client = await self.anonymous()
        return await client.agents.SignIn(
            agents_pb2.SignInRequest(
                request_id=request or request_id(),
                tenant=tenant,
                user_name=user_name,
                password=password,
            )
        )

    async def verify(
        self, session_token: str, code: str, request: str = ""
    ) -> agents_pb2.VerifyFactorResponse:
        client = await self.anonymous()
        return await client.agents.VerifyFactor(
            agents_pb2.VerifyFactorRequest(
                request_id=request or request_id(), session_token=session_token, totp_code=code
            )
        )

    async def signed_in(self, agent: AgentAccount) -> agents_pb2.TokenSet:
        """Sign an agent in, with a code of a time step that was not used before."""
        begun = await self.sign_in(agent.user_name, agent.password)
        self.clock.advance(timedelta(seconds=totp.STEP_SECONDS))
        return (await self.verify(begun.session_token, self.code(agent))).tokens

    def code(self, agent: AgentAccount) -> str:
        return totp.code(agent.seed, totp.step_at(self.clock()))

    async def refresh(
        self, refresh_token: str, request: str = ""
    ) -> agents_pb2.RefreshTokenResponse:
        client = await self.anonymous()
        return await client.agents.RefreshToken(
            agents_pb2.RefreshTokenRequest(
                request_id=request or request_id(), refresh_token=refresh_token
            )
        )

    async def account(
        self, *channels: str, tenant: str = DEMO
    ) -> tokens_pb2.CreateServiceAccountResponse:
        operator = await self.operator(tenant)
        return await operator.tokens.CreateServiceAccount(
            tokens_pb2.CreateServiceAccountRequest(
                request_id=request_id(),
                service_account=tokens_pb2.ServiceAccount(
                    display_name="web chat", channels=channels or ("CHAT", "SMS")
                ),
            )
        )

    async def known(self, patient: str, tenant: str = DEMO, *, at_all: bool = True) -> None:
        """Wait until identity knows a patient, or knows him no more."""
        query = "select count(*) from identity.known_patient where tenant = :t and patient = :p"
        await self.until(query, int(at_all), t=tenant, p=patient)

    async def until(self, query: str, expected: object, **values: object) -> None:
        """Wait until a query of one value, asked as superuser, gives the expected one."""
        for _ in range(500):
            async with self.database.engine.connect() as connection:
                if await connection.scalar(text(query), values) == expected:
                    return
                await connection.execute(text("select pg_sleep(0.02)"))
        raise AssertionError("the query did not come to give what was expected in time")

    async def events(self, stream: str, tenant: str = DEMO) -> list[RecordedEvent]:
        log = self.serving.runtime.log
        return [event async for event in log.read_stream(StreamId(tenant, stream))]

    async def messages(self, stream: str, tenant: str = DEMO) -> list[Message]:
        """Give a stream's events, opened."""
        opened = await self.serving.runtime.codec.open(await self.events(stream, tenant))
        return [one.message for one in opened]

    async def types(self, stream: str, tenant: str = DEMO) -> list[str]:
        return [event.type.rpartition(".")[2] for event in await self.events(stream, tenant)]

    async def rows(self, query: str, **values: object) -> list[Any]:
        """Read as superuser."""
        async with self.database.engine.connect() as connection:
            return list(await connection.execute(text(query), values))


def seed_in(otpauth_uri: str) -> bytes:
    return base64.b32decode(parse_qs(urlsplit(otpauth_uri).query)["secret"][0])


@asynccontextmanager
async def identity_rig(
    database: Database, vault: VaultRig, folder: Path, **settings: object
) -> AsyncIterator[Rig]:
    """Provision and run all of it."""
    await migrated(database, "identity", "patient_context")
    async with AsyncExitStack() as stack:
        nats = NatsRig(folder)
        stack.push_async_callback(nats.stop)
        await nats.start()
        await nats.provision(("identity", "patient_context"), CONSUMES)
        session = await stack.enter_async_context(_identity_session(vault, folder))
        keyring = await stack.enter_async_context(
            Keyring(engine_as(stack, database, "keyring_runtime"), KeyringTransit(session))
        )
        patients = await stack.enter_async_context(
            patient_log(
                database.engine,
                engine_as(stack, database, "patient_context_runtime"),
                keyring,
                nats,
            )
        )
        outbox = Outbox()
        signer = TransitSigner(session)
        peers = {
            "conversations": await stack.enter_async_context(serving_outbox(outbox)),
            "patient_context": await stack.enter_async_context(serving_log(patients.log, signer)),
        }
        spans = InMemorySpanExporter()
        telemetry = await stack.enter_async_context(collected_in_process("identity", spans))
        ground = Ground(
            database,
            keyring,
            signer,
            nats,
            telemetry,
            Clock(),
            _settings(peers, settings),
        )
        running = await stack.enter_async_context(identity_process(ground))
        operators = await stack.enter_async_context(vault.session())
        clients = await stack.enter_async_context(AsyncExitStack())
        yield Rig(
            running, ground, outbox, patients, TransitSigner(operators), spans, clients, vault
        )


@asynccontextmanager
async def identity_process(ground: Ground) -> AsyncIterator[Serving[IdentitySettings]]:
    """Run a process of identity, with caches and connections of its own."""
    async with AsyncExitStack() as stack:
        queries = engine_as(stack, ground.database, "identity_runtime")
        log = await stack.enter_async_context(
            PostgresEventLog(engine_as(stack, ground.database, "identity_runtime"), "identity")
        )
        credentials = ground.nats.service("identity", CONSUMES).text

        async def text_of() -> str:
            return credentials

        relaying = ServiceMessaging(
            "identity",
            NatsAccess(ServerUrl.parse(ground.nats.servers[0]), text_of),
            log,
            lambda _: engine_as(stack, ground.database, "identity_runtime"),
            EventSpans(ground.telemetry.tracer, "identity"),
        )
        parts = ServiceParts(
            ground.telemetry, log, queries, ground.keyring, ground.keys, messaging=relaying
        )
        composed = partial(compose, now=ground.clock)
        service = Service("identity", IdentitySettings, (events_pb2,), composed)
        yield await stack.enter_async_context(serving(service, ground.settings, parts))


def _settings(peers: dict[str, int], changes: dict[str, object]) -> IdentitySettings:
    targets = Peers({name: f"127.0.0.1:{port}" for name, port in peers.items()})
    chosen = {"peers": targets, "even_answer_seconds": 0, **changes}
    return local_settings(IdentitySettings, "identity", **chosen)


@asynccontextmanager
async def _identity_session(vault: VaultRig, folder: Path) -> AsyncIterator[VaultSession]:
    """Sign in as identity, under the policy that the service ships."""
    root = vault.root
    for name in SIGNING_KEYS:
        root.secrets.transit.create_key(name, key_type="ed25519")
    for tenant in (DEMO, OTHER):
        root.secrets.transit.create_key(f"tenant-{tenant}", key_type="aes256-gcm96")
    policy = files("identity").joinpath("vault_policy.hcl").read_text()
    root.sys.create_or_update_policy("identity", policy)
    root.auth.approle.create_or_update_approle(
        "identity", token_policies=["identity"], token_ttl="1h"
    )
    role_id, secret_id = folder / "role_id", folder / "secret_id"
    write_private(role_id, root.auth.approle.read_role_id("identity")["data"]["role_id"])
    answer = root.auth.approle.generate_secret_id("identity")
    write_private(secret_id, answer["data"]["secret_id"])
    sign_in = AppRoleSignIn(SecretFile(role_id), SecretFile(secret_id))
    async with vault.connection() as connection, VaultSession(connection, sign_in) as session:
        yield session
