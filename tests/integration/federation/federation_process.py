"""One process of federation, composed as it runs, on what a rig gives it."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from functools import partial

from conftest import Database
from eventstore.postgres import PostgresEventLog
from federation.compose import FEDERATION
from federation.settings import CONSUMES, FederationSettings
from integration.messaging.nats_rig import NatsRig
from messaging.accounts import Credentials
from runtime.addresses import ServerUrl
from runtime.service import serving
from runtime.service_messaging import NatsAccess, ServiceMessaging
from runtime.service_parts import ServiceParts
from runtime.settings import load_settings
from runtime.telemetry.event_spans import EventSpans
from runtime.telemetry.telemetry import Telemetry
from runtime.testing.local_keys import LocalKeys
from runtime.vault.session import VaultSession
from sealing.keyring import Keyring
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine


@dataclass(frozen=True, slots=True)
class Servers:
    """What all processes share; conversations' LogService has a port of loopback."""

    database: Database
    nats: NatsRig
    vault: VaultSession
    keyring: Keyring
    keys: LocalKeys
    telemetry: Telemetry
    conversations: int


@asynccontextmanager
async def federation_process(servers: Servers) -> AsyncIterator[int]:
    """Serve; gives the port of its API."""
    async with AsyncExitStack() as stack:
        log = await stack.enter_async_context(
            PostgresEventLog(federation_engine(stack, servers), "federation")
        )
        credentials = servers.nats.service("federation", CONSUMES)
        messaging = ServiceMessaging(
            "federation",
            NatsAccess(ServerUrl.parse(servers.nats.servers[0]), partial(_text, credentials)),
            log,
            lambda _: federation_engine(stack, servers),
            EventSpans(servers.telemetry.tracer, "federation"),
        )
        parts = ServiceParts(
            servers.telemetry,
            log,
            federation_engine(stack, servers),
            servers.keyring,
            servers.keys,
            messaging,
            vault=servers.vault,
        )
        served = await stack.enter_async_context(serving(FEDERATION, _settings(servers), parts))
        yield served.server.port


def federation_engine(stack: AsyncExitStack, servers: Servers) -> AsyncEngine:
    """Make an engine with the rights that federation's processes have."""
    engine = create_async_engine(
        servers.database.url, connect_args={"server_settings": {"role": "federation_runtime"}}
    )
    stack.push_async_callback(engine.dispose)
    return engine


def _settings(servers: Servers) -> FederationSettings:
    """Read settings as a process does; what the rig brings itself is named and not there."""
    nowhere = "postgresql:///careline?host=/nowhere"
    return load_settings(
        FederationSettings,
        {
            "CARELINE_GRPC_LISTEN": "127.0.0.1:0",
            "CARELINE_HEALTH_LISTEN": "127.0.0.1:0",
            "CARELINE_DATABASE": nowhere,
            "CARELINE_KEYRING_DATABASE": nowhere,
            "CARELINE_VAULT_ADDRESS": "http://127.0.0.1:1",
            "CARELINE_VAULT_ROLE_ID_FILE": "/nowhere",
            "CARELINE_VAULT_SECRET_ID_FILE": "/nowhere",
            "CARELINE_NATS_URL": servers.nats.servers[0],
            "CARELINE_PEERS": f"conversations=127.0.0.1:{servers.conversations}",
        },
    )


async def _text(credentials: Credentials) -> str:
    return credentials.text
