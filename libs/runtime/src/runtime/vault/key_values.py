"""Secrets in Vault's KV store, version 2."""

from runtime.secret_reference import VaultPath
from runtime.vault.errors import VaultAbsent
from runtime.vault.session import VaultSession


async def read_secret(session: VaultSession, reference: VaultPath) -> str:
    """Read a field of a secret's newest version; raises one of VaultUnavailable's family."""
    answer = await session.call(
        lambda client: client.secrets.kv.v2.read_secret_version(
            reference.path, mount_point=reference.mount, raise_on_deleted_version=True
        )
    )
    value = answer["data"]["data"].get(reference.field)
    if not isinstance(value, str):
        raise VaultAbsent(
            f"the secret {reference.mount}/{reference.path} has no field {reference.field}; add it"
        )
    return value
