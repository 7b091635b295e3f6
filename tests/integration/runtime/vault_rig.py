"""Workloads of a running OpenBao, and sessions of theirs."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from uuid import uuid4

import hvac
from embedded import write_private
from runtime.addresses import ServerUrl
from runtime.background import beside
from runtime.secret_reference import SecretFile
from runtime.vault.connection import VaultConnection
from runtime.vault.session import VaultSession
from runtime.vault.sign_in import AppRoleSignIn

POLICY = """
path "transit/sign/*" { capabilities = ["update"] }
path "transit/keys/*" { capabilities = ["read"] }
path "transit/encrypt/*" { capabilities = ["update"] }
path "transit/decrypt/*" { capabilities = ["update"] }
path "secret/data/careline/allowed" { capabilities = ["read"] }
path "secret/data/careline/nats/*" { capabilities = ["read"] }
path "database/creds/*" { capabilities = ["read"] }
path "sys/leases/revoke" { capabilities = ["update"] }
"""


@dataclass(frozen=True, slots=True)
class Workload:
    """An AppRole of its own, and the files by which it signs in."""

    name: str
    root: hvac.Client
    role_id_file: Path
    secret_id_file: Path

    def put_secret_id(self) -> None:
        answer = self.root.auth.approle.generate_secret_id(self.name)
        write_private(self.secret_id_file, answer["data"]["secret_id"])

    def put_wrapped_secret_id(self) -> str:
        answer = self.root.auth.approle.generate_secret_id(self.name, wrap_ttl="60s")
        token: str = answer["wrap_info"]["token"]
        write_private(self.secret_id_file, token)
        return token

    def sign_in(self) -> AppRoleSignIn:
        return AppRoleSignIn(SecretFile(self.role_id_file), SecretFile(self.secret_id_file))


@dataclass(frozen=True, slots=True)
class VaultRig:
    """Root's hands on the server."""

    url: str
    root: hvac.Client
    folder: Path

    def mount(self) -> None:
        mounted = self.root.sys.list_mounted_secrets_engines()["data"]
        for engine in ("transit", "database"):
            if f"{engine}/" not in mounted:
                self.root.sys.enable_secrets_engine(engine)
        if "secret/" not in mounted:
            self.root.sys.enable_secrets_engine("kv", path="secret", options={"version": "2"})
        if "approle/" not in self.root.sys.list_auth_methods()["data"]:
            self.root.sys.enable_auth_method("approle")
        self.root.sys.create_or_update_policy("runtime-tests", POLICY)

    def workload(
        self, *, ttl: str = "1h", max_ttl: str = "24h", secret_id_uses: int = 0
    ) -> Workload:
        name = f"runtime-{uuid4().hex[:8]}"
        self.root.auth.approle.create_or_update_approle(
            name,
            token_policies=["runtime-tests"],
            token_ttl=ttl,
            token_max_ttl=max_ttl,
            secret_id_num_uses=secret_id_uses,
            secret_id_ttl="10m",
        )
        role_id = self.folder / f"{name}.role"
        write_private(role_id, self.root.auth.approle.read_role_id(name)["data"]["role_id"])
        workload = Workload(name, self.root, role_id, self.folder / f"{name}.secret")
        workload.put_secret_id()
        return workload

    def signing_key(self) -> str:
        name = f"token-{uuid4().hex[:8]}"
        self.root.secrets.transit.create_key(name, key_type="ed25519")
        return name

    def connection(self, timeout: float = 5.0) -> VaultConnection:
        return VaultConnection(ServerUrl.parse(self.url), timeout=timeout)

    @asynccontextmanager
    async def session(self, workload: Workload | None = None) -> AsyncIterator[VaultSession]:
        """A session that renews itself."""
        workload = workload or self.workload()
        async with (
            self.connection() as connection,
            VaultSession(connection, workload.sign_in()) as session,
            beside(session.stay_signed_in),
        ):
            yield session
