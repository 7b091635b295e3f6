"""The service as a process of its own, with no more rights in Vault than its policy gives."""

import asyncio
import os
import signal
import socket
import sys
import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from uuid import uuid4

import grpc
import pytest
from careline.patient_context.v1 import consent_service_pb2_grpc as consents_grpc
from careline.patient_context.v1 import ingest_service_pb2_grpc as ingest_grpc
from careline.patient_context.v1 import patient_service_pb2_grpc as patients_grpc
from conftest import CreateDatabase, Database, Nats, OpenBao
from embedded import PostgresServer, write_private
from grpc_health.v1 import health_pb2
from hvac.exceptions import Forbidden
from integration.patient_context.rig import DEMO, NDJSON, SERVICE, Client, ground_on
from integration.runtime.platform_rig import CREATE, REVOKE
from integration.runtime.rig import FixedToken
from integration.runtime.test_health import HealthStub
from integration.runtime.vault_rig import VaultRig
from runtime.channel import open_channel
from runtime.outgoing import Outgoing
from runtime.principal import Principal, PrincipalKind
from runtime.telemetry.telemetry import collected_by
from runtime.tokens.token import TokenIssuer
from runtime.vault.transit import TransitSigner
from sqlalchemy import text

MEGABYTES = 1 << 10


@dataclass(frozen=True, slots=True)
class Running:
    """The process and where it listens."""

    process: asyncio.subprocess.Process
    port: int
    health_port: int

    def peak_kilobytes(self) -> int:
        status = Path(f"/proc/{self.process.pid}/status").read_text()
        (line,) = [line for line in status.splitlines() if line.startswith("VmHWM")]
        return int(line.split()[1])


async def _drop(database: Database, role: str) -> None:
    async with database.engine.begin() as connection:
        await connection.execute(text(f"DROP ROLE {role}"))


@pytest.fixture
async def running(
    create_database: CreateDatabase,
    postgres: PostgresServer,
    vault: VaultRig,
    nats: Nats,
    tmp_path: Path,
) -> AsyncIterator[Running]:
    async with AsyncExitStack() as stack:
        database = await stack.enter_async_context(create_database())
        ground = await stack.enter_async_context(ground_on(database, vault, nats))
        admin = f"admin_{uuid4().hex[:8]}"
        async with database.engine.begin() as connection:
            await connection.execute(
                text(f"CREATE ROLE {admin} SUPERUSER LOGIN PASSWORD 'made-up'")
            )
        stack.push_async_callback(_drop, database, admin)
        _provision(vault, postgres, database.name, admin, ground.credentials)
        stack.callback(vault.root.secrets.database.delete_connection, SERVICE)
        url = f"postgresql:///{database.name}?host={postgres.socket_dir}"
        ports = _free_ports()
        environment = {
            "GRPC_LISTEN": f"127.0.0.1:{ports[0]}",
            "HEALTH_LISTEN": f"127.0.0.1:{ports[1]}",
            "DATABASE": url,
            "KEYRING_DATABASE": url,
            "VAULT_ADDRESS": vault.url,
            "VAULT_ROLE_ID_FILE": str(tmp_path / "role"),
            "VAULT_SECRET_ID_FILE": str(tmp_path / "secret"),
            "NATS_URL": nats.url,
            "SPILL_DIRECTORY": str(tmp_path),
        }
        approle = vault.root.auth.approle
        write_private(tmp_path / "role", approle.read_role_id(SERVICE)["data"]["role_id"])
        secret = approle.generate_secret_id(SERVICE)["data"]["secret_id"]
        write_private(tmp_path / "secret", secret)
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            SERVICE,
            env={"PATH": os.environ["PATH"]}
            | {f"CARELINE_{name}": value for name, value in environment.items()},
        )
        try:
            await _until_serving(process, ports[1])
            yield Running(process, *ports)
        finally:
            if process.returncode is None:
                process.kill()
                await process.wait()


def _provision(
    vault: VaultRig, postgres: PostgresServer, database: str, admin: str, creds: str
) -> None:
    """Make what the service finds in Vault, and its AppRole with its own policy and no other."""
    root = vault.root
    for key in (f"token-{SERVICE}", "token-operator"):
        root.secrets.transit.create_key(key, key_type="ed25519")
    root.secrets.database.configure(
        SERVICE,
        "postgresql-database-plugin",
        allowed_roles=["*"],
        connection_url=(
            f"postgresql://{{{{username}}}}:{{{{password}}}}@/{database}?host={postgres.socket_dir}"
        ),
        username=admin,
        password="made-up",
    )
    for role, users in (
        (SERVICE, f"{SERVICE}_runtime"),
        (f"keyring-{SERVICE}", "keyring_runtime, keyring_eraser"),
    ):
        root.secrets.database.create_role(
            role,
            SERVICE,
            creation_statements=[CREATE.replace("@users@", users)],
            revocation_statements=[REVOKE],
            default_ttl="1h",
            max_ttl="1h",
        )
    root.secrets.kv.v2.create_or_update_secret(f"careline/nats/{SERVICE}", secret={"creds": creds})
    policy = files(SERVICE).joinpath("vault_policy.hcl").read_text()
    root.sys.create_or_update_policy(SERVICE, policy)
    root.auth.approle.create_or_update_approle(
        SERVICE, token_policies=[SERVICE], token_ttl="1h", token_max_ttl="2h"
    )


def _free_ports() -> tuple[int, int]:
    with socket.socket() as one, socket.socket() as other:
        for each in (one, other):
            each.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1]), int(other.getsockname()[1])


async def _until_serving(process: asyncio.subprocess.Process, port: int) -> None:
    """Wait, bounded, until the process says that it serves patients."""
    request = health_pb2.HealthCheckRequest(service="careline.patient_context.v1.PatientService")
    async with asyncio.timeout(60), grpc.aio.insecure_channel(f"127.0.0.1:{port}") as channel:
        stub = HealthStub(channel)
        while process.returncode is None:
            try:
                answer = await stub.check(request, timeout=5, wait_for_ready=True)
            except grpc.aio.AioRpcError:
                continue
            if answer.status == health_pb2.HealthCheckResponse.SERVING:
                return
            await asyncio.sleep(0.1)
    raise AssertionError("the process ended before it served")


async def test_sixty_patients_go_in_within_the_bounds_of_time_and_memory(
    running: Running, vault: VaultRig, shared_data: Path
) -> None:
    async with vault.session() as session, collected_by("test", None) as telemetry:
        operator = Principal(PrincipalKind.OPERATOR, "operators/local", frozenset({DEMO}))
        issuer = TokenIssuer(TransitSigner(session), "token-operator")
        outgoing = Outgoing(
            FixedToken(await issuer.issue(operator, 600)),
            telemetry,
            names_tenant=False,
            stream_timeout=600,
        )
        async with open_channel(f"127.0.0.1:{running.port}", outgoing) as channel:
            client = Client(
                operator,
                patients_grpc.PatientServiceStub(channel),
                consents_grpc.ConsentServiceStub(channel),
                ingest_grpc.IngestServiceStub(channel),
            )
            began = time.monotonic()
            bundles = await client.bring(*sorted((shared_data / "synthea_r4_bundles").iterdir()))
            took = time.monotonic() - began
            export = sorted((shared_data / "bulk_export_10").iterdir())
            exported = await client.bring(*export, kind=NDJSON)
    assert not [refused for answer in (*bundles, *exported) for refused in answer.refused]
    assert sum(answer.changed for answer in (*bundles, *exported)) == 60 + 13
    assert took < 180
    assert running.peak_kilobytes() < 500 * MEGABYTES

    running.process.send_signal(signal.SIGTERM)
    assert await asyncio.wait_for(running.process.wait(), 30) == 0


def test_its_policy_gives_it_its_own_and_no_more(
    running: Running, vault: VaultRig, openbao: OpenBao
) -> None:
    approle = vault.root.auth.approle
    login = approle.login(
        approle.read_role_id(SERVICE)["data"]["role_id"],
        approle.generate_secret_id(SERVICE)["data"]["secret_id"],
        use_token=False,
    )
    assert running.process.returncode is None
    service = openbao.client(login["auth"]["client_token"])
    assert service.secrets.transit.sign_data(f"token-{SERVICE}", "AAAA")
    assert service.secrets.transit.read_key("token-operator")
    for forbidden in (
        lambda: service.secrets.transit.sign_data("token-operator", "AAAA"),
        lambda: service.secrets.transit.sign_data("assertion-identity", "AAAA"),
        lambda: service.read("database/creds/identity"),
        lambda: service.read("secret/data/careline/nats/identity"),
    ):
        with pytest.raises(Forbidden):
            forbidden()
