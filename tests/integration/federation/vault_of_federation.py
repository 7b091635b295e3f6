"""Federation's AppRole under its own policy, and what the provisioner keeps for it."""

import json
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from importlib.resources import files
from pathlib import Path

import hvac
from conftest import OpenBao
from embedded import write_private
from messaging.accounts import NatsOperator
from runtime.addresses import ServerUrl
from runtime.background import beside
from runtime.secret_reference import SecretFile
from runtime.vault.connection import VaultConnection
from runtime.vault.session import VaultSession
from runtime.vault.sign_in import AppRoleSignIn


def provision_vault(root: hvac.Client, operator: NatsOperator, tenants: Iterable[str]) -> None:
    """Mount what is absent, keep the operator's seeds, and give federation its own policy."""
    mounted = root.sys.list_mounted_secrets_engines()["data"]
    if "transit/" not in mounted:
        root.sys.enable_secrets_engine("transit")
    if "secret/" not in mounted:
        root.sys.enable_secrets_engine("kv", path="secret", options={"version": "2"})
    if "approle/" not in root.sys.list_auth_methods()["data"]:
        root.sys.enable_auth_method("approle")
    for tenant in tenants:
        root.secrets.transit.create_key(f"tenant-{tenant}", key_type="aes256-gcm96")
    root.secrets.kv.v2.create_or_update_secret(
        "careline/nats/operator", secret={"seeds": json.dumps(operator.seeds())}
    )
    policy = files("federation").joinpath("vault_policy.hcl").read_text()
    root.sys.create_or_update_policy("federation", policy)
    root.auth.approle.create_or_update_approle(
        "federation", token_policies=["federation"], token_ttl="1h"
    )


@asynccontextmanager
async def federation_session(
    openbao: OpenBao, root: hvac.Client, folder: Path
) -> AsyncIterator[VaultSession]:
    role_id, secret_id = folder / "role_id", folder / "secret_id"
    write_private(role_id, root.auth.approle.read_role_id("federation")["data"]["role_id"])
    answer = root.auth.approle.generate_secret_id("federation")
    write_private(secret_id, answer["data"]["secret_id"])
    sign_in = AppRoleSignIn(SecretFile(role_id), SecretFile(secret_id))
    async with (
        VaultConnection(ServerUrl.parse(openbao.url)) as connection,
        VaultSession(connection, sign_in) as session,
        beside(session.stay_signed_in),
    ):
        yield session
