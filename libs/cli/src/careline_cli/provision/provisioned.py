"""Makes everything that services find when they start, and knows when it has to be made again."""

import asyncio
import hashlib
import secrets
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from importlib import import_module

import hvac
import sealing.keyring.migrate
from embedded import PostgresServer
from eventstore.archive.signing import signing_key
from hvac.exceptions import InvalidPath
from messaging.accounts import NatsOperator
from messaging.names import Consumption
from runtime.service_names import SERVICES
from runtime.tokens.token import TOKEN_KEYS
from sqlalchemy import make_url
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

from careline_cli.provision import nats, postgres
from careline_cli.provision.migrations import migrate_keyring, migrate_platform
from careline_cli.provision.vault import (
    INSTALLER,
    OPERATOR,
    PROVISIONER,
    SNAPSHOTS,
    DatabaseConnection,
    VaultProvisioner,
    own_workload,
    service_workload,
)

Logins = dict[str, tuple[str, ...]]
PEOPLE = (OPERATOR, PROVISIONER, SNAPSHOTS, INSTALLER)
"""Who signs in from files of the data directory, by secret ids that last."""
MARK = "careline/provisioned"
ASSERTION_KEY = "assertion-identity"
PLATFORM_DATABASE = "careline"
KEYRING_DATABASE = "keyring"


@dataclass(frozen=True, slots=True)
class Databases:
    """The two servers: the platform's and the keyring's."""

    platform: PostgresServer
    keyring: PostgresServer


def consumptions() -> tuple[Consumption, ...]:
    """Give who consumes whose events, as each service's settings declare it."""
    declared = (import_module(f"{service}.settings").CONSUMES for service in SERVICES)
    return tuple(one for consumed in declared for one in consumed)


def mark() -> str:
    """Give a digest of all that provisioning writes into Vault: another one asks for a new run."""
    parts = [service_workload(service).policy for service in SERVICES]
    parts += [own_workload(name).policy for name in PEOPLE]
    parts += postgres.creation_statements(["?"]) + postgres.revocation_statements()
    parts += [repr(one) for one in consumptions()]
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()


def is_current(vault: VaultProvisioner) -> bool:
    """Tell whether Vault holds what this version provisions."""
    try:
        return vault.secret(MARK)["digest"] == mark()
    except InvalidPath:
        return False


async def provision(
    client: hvac.Client,
    databases: Databases,
    *,
    tenants: tuple[str, ...],
    say: Callable[[str], None],
) -> None:
    """Make what is absent in PostgreSQL and Vault; `client` may do anything in Vault."""
    vault = VaultProvisioner(client)
    say("vault: keys, policies and roles")
    await asyncio.to_thread(_provision_vault, vault, tenants)
    say("postgres: databases and roles")
    await _provision_databases(vault, databases)
    await asyncio.to_thread(vault.put_secret, MARK, {"digest": mark()})


async def migrate(databases: Databases) -> None:
    """Bring all schemas to their newest version."""
    async with superuser_engine(databases.platform, PLATFORM_DATABASE) as engine:
        await migrate_platform(engine, SERVICES)
    async with superuser_engine(databases.keyring, KEYRING_DATABASE) as engine:
        await migrate_keyring(engine)


def _provision_vault(vault: VaultProvisioner, tenants: tuple[str, ...]) -> None:
    vault.mounts()
    archive_keys = (signing_key(service) for service in SERVICES)
    vault.signing_keys((*sorted(TOKEN_KEYS), ASSERTION_KEY, *archive_keys))
    vault.tenant_keys(tenants)
    vault.workloads(service_workload(service) for service in SERVICES)
    vault.workloads((own_workload(name) for name in PEOPLE), secret_id_uses=0)
    try:
        operator = nats.kept_operator(vault)
    except InvalidPath:
        operator = NatsOperator.generate()
        nats.keep_operator(vault, operator)
    nats.keep_users(vault, operator, SERVICES, consumptions())


async def _provision_databases(vault: VaultProvisioner, databases: Databases) -> None:
    schemas = [postgres.service_schema(service) for service in SERVICES]
    logins: Logins = {service: (f"{service}_runtime",) for service in SERVICES}
    await _provision_database(vault, databases.platform, PLATFORM_DATABASE, schemas, logins)
    keyring_logins: Logins = {f"keyring-{service}": ("keyring_runtime",) for service in SERVICES}
    # Only who owns patients erases them.
    keyring_logins["keyring-patient_context"] = ("keyring_runtime", "keyring_eraser")
    await _provision_database(
        vault, databases.keyring, KEYRING_DATABASE, [postgres.keyring_schema()], keyring_logins
    )


async def _provision_database(
    vault: VaultProvisioner,
    server: PostgresServer,
    name: str,
    schemas: list[postgres.Schema],
    logins: Logins,
) -> None:
    async with superuser_engine(server, "postgres") as administration:
        await postgres.create_database(administration, name)
    password = secrets.token_urlsafe(32)
    async with superuser_engine(server, name) as engine:
        if name == KEYRING_DATABASE:
            await sealing.keyring.migrate.prepare(engine)
        await postgres.create_roles(engine, name, schemas, password)
    url = f"postgresql://{{{{username}}}}:{{{{password}}}}@/{name}?host={server.socket_dir}"
    connection = DatabaseConnection(name, url, postgres.VAULT_ADMIN, password)
    await asyncio.to_thread(vault.database, connection, logins)


@asynccontextmanager
async def superuser_engine(server: PostgresServer, database: str) -> AsyncIterator[AsyncEngine]:
    """Give a superuser's engine, closed at the end of the context."""
    url = make_url(server.dsn(database)).set(drivername="postgresql+asyncpg")
    engine = create_async_engine(url)
    try:
        yield engine
    finally:
        await engine.dispose()
