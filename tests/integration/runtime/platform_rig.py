"""Everything that two services need of PostgreSQL, OpenBao and NATS, provisioned."""

from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from uuid import uuid4

from conftest import Database, Nats
from embedded import PostgresServer
from integration.runtime.vault_rig import VaultRig, Workload
from integration.service_schemas import migrated
from messaging.names import Consumption
from messaging.permissions import service_permissions
from messaging.streams import provision
from runtime.settings import ServiceSettings, load_settings
from sqlalchemy import text

SERVICES = ("routing", "audit")
CONSUMPTIONS = {"routing": (), "audit": (Consumption("audit", "routing", "probe"),)}
CREATE = (
    """CREATE ROLE "{{name}}" LOGIN PASSWORD '{{password}}' VALID UNTIL '{{expiration}}' """
    """IN ROLE @users@;"""
)
REVOKE = (
    """SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = '{{name}}';"""
    """DROP ROLE IF EXISTS "{{name}}";"""
)


@dataclass(frozen=True)
class Platform:
    """What services are started on."""

    postgres: PostgresServer
    database: Database
    vault: VaultRig
    nats: Nats
    workloads: Mapping[str, Workload]

    def environment(self, service: str, **changes: str) -> dict[str, str]:
        """Settings of a service, as its process is given them."""
        database = f"postgresql:///{self.database.name}?host={self.postgres.socket_dir}"
        workload = self.workloads[service]
        values = {
            "SERVICE_NAME": service,
            "GRPC_LISTEN": "127.0.0.1:0",
            "HEALTH_LISTEN": "127.0.0.1:0",
            "DATABASE": database,
            "KEYRING_DATABASE": database,
            "VAULT_ADDRESS": self.vault.url,
            "VAULT_ROLE_ID_FILE": str(workload.role_id_file),
            "VAULT_SECRET_ID_FILE": str(workload.secret_id_file),
            "NATS_URL": self.nats.url,
            **changes,
        }
        return {f"CARELINE_{name}": value for name, value in values.items()}

    def settings(self, service: str, **changes: str) -> ServiceSettings:
        return load_settings(ServiceSettings, self.environment(service, **changes))


@asynccontextmanager
async def provisioned(
    postgres: PostgresServer, database: Database, vault: VaultRig, nats: Nats
) -> AsyncIterator[Platform]:
    async with AsyncExitStack() as stack:
        await migrated(database, *SERVICES)
        admin = await _vault_admin(database, stack)
        connection = f"platform-{uuid4().hex[:8]}"
        _logins(vault, postgres, database, connection, admin)
        stack.callback(vault.root.secrets.database.delete_connection, connection)
        for name in (*(f"token-{service}" for service in SERVICES), "token-identity"):
            vault.root.secrets.transit.create_key(name, key_type="ed25519")
        vault.root.secrets.transit.create_key("assertion-identity", key_type="ed25519")
        vault.root.secrets.transit.create_key("tenant-demo", key_type="aes256-gcm96")
        await provision_streams(nats)
        for service in SERVICES:
            permissions = service_permissions(service, CONSUMPTIONS[service])
            creds = nats.operator.platform.credentials(service, permissions).text
            vault.root.secrets.kv.v2.create_or_update_secret(
                f"careline/nats/{service}", secret={"creds": creds}
            )
        yield Platform(
            postgres, database, vault, nats, {name: vault.workload() for name in SERVICES}
        )


async def _vault_admin(database: Database, stack: AsyncExitStack) -> str:
    admin = f"admin_{uuid4().hex[:8]}"
    async with database.engine.begin() as connection:
        await connection.execute(text(f"CREATE ROLE {admin} SUPERUSER LOGIN PASSWORD 'made-up'"))

    async def drop() -> None:
        async with database.engine.begin() as connection:
            await connection.execute(text(f"DROP ROLE {admin}"))

    stack.push_async_callback(drop)
    return admin


def _logins(
    vault: VaultRig, postgres: PostgresServer, database: Database, connection: str, admin: str
) -> None:
    engine = vault.root.secrets.database
    engine.configure(
        connection,
        "postgresql-database-plugin",
        allowed_roles=["*"],
        connection_url=(
            f"postgresql://{{{{username}}}}:{{{{password}}}}@/{database.name}"
            f"?host={postgres.socket_dir}"
        ),
        username=admin,
        password="made-up",
    )
    for service in SERVICES:
        for role, users in (
            (service, f"{service}_runtime"),
            (f"keyring-{service}", "keyring_runtime"),
        ):
            engine.create_role(
                role,
                connection,
                creation_statements=[CREATE.replace("@users@", users)],
                revocation_statements=[REVOKE],
                default_ttl="1h",
                max_ttl="1h",
            )


async def provision_streams(nats: Nats) -> None:
    client = await nats.connect()
    try:
        stream = client.jetstream()
        for name in await stream.streams_info():
            if name.config.name in {f"CARELINE_{service.upper()}" for service in SERVICES}:
                await stream.delete_stream(name.config.name)
        await provision(stream, SERVICES, CONSUMPTIONS["audit"])
    finally:
        await client.close()
