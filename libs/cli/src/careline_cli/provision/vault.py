"""Vault's mounts, keys, policies, roles and database connections; each step again is a no-op."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from importlib.resources import files

import hvac
from hvac.exceptions import InvalidRequest

from careline_cli.provision.postgres import creation_statements, revocation_statements

MOUNTS = {"transit": "transit", "database": "database"}
SECRET_ID_SECONDS = 300
LEASE = "1h"
LONGEST_LEASE = "24h"
PROVISIONER = "provisioner"
OPERATOR = "operator"
INSTALLER = "installer"
SNAPSHOTS = "snapshots"


@dataclass(frozen=True, slots=True)
class Workload:
    """A program with an AppRole and a policy of its own; `policy` is HCL."""

    name: str
    policy: str


@dataclass(frozen=True, slots=True)
class DatabaseConnection:
    """How Vault reaches a database: a URL with {{username}} and {{password}} in it."""

    name: str
    url: str
    username: str
    password: str


def service_workload(service: str) -> Workload:
    return Workload(service, files(service).joinpath("vault_policy.hcl").read_text())


def own_workload(name: str) -> Workload:
    """Give who is no service, as the operator; the policies lie beside this file."""
    return Workload(name, files(__package__).joinpath(f"{name}_policy.hcl").read_text())


class VaultProvisioner:
    """Makes what is absent, by a client that may: root at first, then the installer."""

    def __init__(self, client: hvac.Client) -> None:
        self._client = client

    def mounts(self) -> None:
        mounted = self._client.sys.list_mounted_secrets_engines()["data"]
        for path, engine in MOUNTS.items():
            if f"{path}/" not in mounted:
                self._client.sys.enable_secrets_engine(engine, path=path)
        if "secret/" not in mounted:
            self._client.sys.enable_secrets_engine("kv", path="secret", options={"version": "2"})
        if "approle/" not in self._client.sys.list_auth_methods()["data"]:
            self._client.sys.enable_auth_method("approle")

    def signing_keys(self, names: Iterable[str]) -> None:
        for name in names:
            self._client.secrets.transit.create_key(name, key_type="ed25519", exportable=False)

    def tenant_keys(self, tenants: Iterable[str]) -> None:
        for tenant in tenants:
            self._client.secrets.transit.create_key(f"tenant-{tenant}", key_type="aes256-gcm96")

    def workloads(self, workloads: Iterable[Workload], *, secret_id_uses: int = 1) -> None:
        """Give each its policy and its AppRole, whose secret ids are short-lived and single-use."""
        for workload in workloads:
            self._client.sys.create_or_update_policy(workload.name, workload.policy)
            self._client.auth.approle.create_or_update_approle(
                workload.name,
                token_policies=[workload.name],
                token_ttl=LEASE,
                token_max_ttl=LONGEST_LEASE,
                secret_id_num_uses=secret_id_uses,
                secret_id_ttl=f"{SECRET_ID_SECONDS}s" if secret_id_uses else "0",
            )

    def database(self, connection: DatabaseConnection, logins: Mapping[str, Iterable[str]]) -> None:
        """Connect Vault to a database and say which logins it makes; then only Vault knows the
        password that it connects with.
        """
        self._client.secrets.database.configure(
            connection.name,
            "postgresql-database-plugin",
            allowed_roles=sorted(logins),
            connection_url=connection.url,
            username=connection.username,
            password=connection.password,
            verify_connection=True,
        )
        self._client.secrets.database.rotate_root_credentials(connection.name)
        for login, users in logins.items():
            self._client.secrets.database.create_role(
                login,
                connection.name,
                creation_statements=creation_statements(users),
                revocation_statements=revocation_statements(),
                default_ttl=LEASE,
                max_ttl=LONGEST_LEASE,
            )

    def has_database(self, name: str) -> bool:
        try:
            self._client.secrets.database.read_connection(name)
        except InvalidRequest:
            return False
        return True

    def put_secret(self, path: str, values: Mapping[str, str]) -> None:
        self._client.secrets.kv.v2.create_or_update_secret(path, secret=dict(values))

    def secret(self, path: str) -> Mapping[str, str]:
        """Read a secret; raises hvac's InvalidPath when it is absent."""
        answer = self._client.secrets.kv.v2.read_secret_version(path, raise_on_deleted_version=True)
        values: dict[str, str] = answer["data"]["data"]
        return values

    def role_id(self, workload: str) -> str:
        return str(self._client.auth.approle.read_role_id(workload)["data"]["role_id"])

    def wrapped_secret_id(self, workload: str) -> str:
        """Issue a secret id that only the first to unwrap it gets."""
        answer = self._client.auth.approle.generate_secret_id(
            workload, wrap_ttl=f"{SECRET_ID_SECONDS}s"
        )
        return str(answer["wrap_info"]["token"])

    def secret_id(self, workload: str) -> str:
        return str(self._client.auth.approle.generate_secret_id(workload)["data"]["secret_id"])

    def revoke_own_token(self) -> None:
        self._client.auth.token.revoke_self()
