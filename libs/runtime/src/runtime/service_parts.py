"""What every service stands on: its log, keys, tables, connections, and what keeps them going."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Protocol

from eventstore.event_log import EventLog
from eventstore.postgres.bounds import DEFAULT_BOUNDS
from eventstore.postgres.log import PostgresEventLog
from eventstore.snapshots import SnapshotStore
from messaging.metrics import MessagingMetrics
from messaging.replication import StreamReplication
from sealing.keyring.keyring import Keyring
from sqlalchemy.ext.asyncio import AsyncEngine

from runtime.background import Work
from runtime.database.leased_engine import LeasedDatabase, answers
from runtime.health import Dependency
from runtime.secret_reference import VaultPath
from runtime.service_archive import ServiceArchive
from runtime.service_messaging import NatsAccess, ServiceMessaging
from runtime.settings import ServiceSettings, StoreSettings
from runtime.telemetry.event_spans import EventSpans
from runtime.telemetry.telemetry import Telemetry
from runtime.tls_files import TlsFiles
from runtime.tokens.signing import PublicKeySource, Signer
from runtime.vault.connection import VaultConnection
from runtime.vault.database_login import DatabaseLogins
from runtime.vault.key_values import read_secret
from runtime.vault.session import VaultSession
from runtime.vault.sign_in import AppRoleSignIn
from runtime.vault.transit import KeyringTransit, TransitSigner

_QUERY_CONNECTIONS: Final = 6
_KEYRING_CONNECTIONS: Final = 4


class SigningKeys(Signer, PublicKeySource, Protocol):
    """Signs, and hands out the public keys."""


@dataclass(frozen=True, slots=True)
class ServiceParts:
    """What is given to a service; `background` runs as long as the service does."""

    telemetry: Telemetry
    log: EventLog
    queries: AsyncEngine
    keyring: Keyring
    keys: SigningKeys
    messaging: ServiceMessaging | None = None
    dependencies: tuple[Dependency, ...] = ()
    background: tuple[Work, ...] = ()
    tls: TlsFiles | None = None
    vault: VaultSession | None = None
    snapshots: SnapshotStore | None = None


@asynccontextmanager
async def real_parts(
    settings: ServiceSettings, telemetry: Telemetry
) -> AsyncIterator[ServiceParts]:
    """Sign in with Vault, take logins to both databases, and make all that stands on them.

    NATS is connected to later, and again and again. Raises one of VaultUnavailable's family when
    Vault or a database is away: whoever runs the process starts it again.
    """
    async with AsyncExitStack() as stack:
        vault = await stack.enter_async_context(signed_in(settings))
        logins = DatabaseLogins(vault)
        name = settings.service_name
        own = LeasedDatabase(settings.database, logins, name)
        shared = LeasedDatabase(settings.keyring_database, logins, f"keyring-{name}")
        await stack.enter_async_context(own)
        await stack.enter_async_context(shared)
        keys = shared.engine("keyring", pool_size=_KEYRING_CONNECTIONS)
        queries = own.engine("queries", pool_size=_QUERY_CONNECTIONS)
        replication = StreamReplication(queries, name)
        log = PostgresEventLog(
            own.engine("log", pool_size=DEFAULT_BOUNDS.connections), name, replication=replication
        )
        messaging = ServiceMessaging(
            name,
            _nats(settings, vault),
            log,
            lambda size: own.engine("messaging", pool_size=size),
            EventSpans(telemetry.tracer, name),
            replication,
        )
        MessagingMetrics(telemetry.meter, messaging.relays, messaging.consumers)
        signer = TransitSigner(vault)
        archiving: list[Work] = []
        if settings.archive_url is not None:
            lock = own.engine("archive", pool_size=1)
            archive = ServiceArchive(name, settings.archive_url, log, lock, signer)
            archive.observe(telemetry.meter)
            archiving.append(archive.run)
        yield ServiceParts(
            telemetry,
            await stack.enter_async_context(log),
            queries,
            await stack.enter_async_context(Keyring(keys, KeyringTransit(vault))),
            signer,
            messaging,
            dependencies=(
                Dependency("database", lambda: answers(queries)),
                Dependency("keyring", lambda: answers(keys)),
                Dependency("vault", vault.probe),
                Dependency("nats", messaging.probe),
            ),
            background=(vault.stay_signed_in, own.stay_fresh, shared.stay_fresh, *archiving),
            tls=tls_files(settings),
            vault=vault,
            snapshots=log.snapshots,
        )


def tls_files(settings: ServiceSettings) -> TlsFiles | None:
    """Give the server's and peers' TLS files, None when a mesh or loopback does without."""
    certificate, key, ca = (
        settings.grpc_certificate_file,
        settings.grpc_private_key_file,
        settings.grpc_ca_file,
    )
    if certificate is None or key is None or ca is None:
        return None
    return TlsFiles(Path(certificate), key, Path(ca))


@asynccontextmanager
async def signed_in(settings: StoreSettings) -> AsyncIterator[VaultSession]:
    """Sign in with Vault; raises one of VaultUnavailable's family."""
    sign_in = AppRoleSignIn(settings.vault_role_id_file, settings.vault_secret_id_file)
    async with (
        VaultConnection(settings.vault_address, ca_file=settings.vault_ca_file) as connection,
        VaultSession(connection, sign_in) as session,
    ):
        yield session


def _nats(settings: ServiceSettings, vault: VaultSession) -> NatsAccess:
    where = VaultPath("secret", f"careline/nats/{settings.service_name}", "creds")
    return NatsAccess(settings.nats_url, lambda: read_secret(vault, where), settings.nats_ca_file)
