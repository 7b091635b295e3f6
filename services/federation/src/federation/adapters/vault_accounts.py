"""The keys of NATS's operator and of the partners' accounts, kept in Vault's KV store."""

import json
from collections.abc import Mapping

from messaging.accounts import Account, NatsOperator
from runtime.secret_reference import VaultPath
from runtime.vault.errors import VaultAbsent, VaultRefusedInput
from runtime.vault.key_values import read_secret
from runtime.vault.session import VaultSession

_MOUNT = "secret"
_FIELD = "seeds"


async def kept_operator(vault: VaultSession, where: VaultPath) -> NatsOperator:
    """Read the operator that signs accounts; raises one of VaultUnavailable's family."""
    seeds: Mapping[str, Mapping[str, str]] = json.loads(await read_secret(vault, where))
    return NatsOperator.from_seeds(seeds)


class VaultPartnerAccounts:
    """Accounts by tenant and partner key. Of two processes that make one, the first one's stays."""

    def __init__(self, vault: VaultSession) -> None:
        self._vault = vault

    async def make(self, tenant: str, partner_key: str) -> Account:
        """Make a partner's account; the same one whenever it is made again."""
        try:
            return await self.kept(tenant, partner_key)
        except VaultAbsent:
            made = Account.generate(_name(partner_key))
        where = _place(tenant, partner_key)
        secret = {where.field: json.dumps(made.seeds())}
        try:
            # Version 0 was the last: only if there is none.
            await self._vault.call(
                lambda client: client.secrets.kv.v2.create_or_update_secret(
                    where.path, secret=secret, cas=0, mount_point=where.mount
                )
            )
        except VaultRefusedInput:
            return await self.kept(tenant, partner_key)
        return made

    async def kept(self, tenant: str, partner_key: str) -> Account:
        """Give an account that was made; raises VaultAbsent when it is gone."""
        seeds = await read_secret(self._vault, _place(tenant, partner_key))
        return Account.from_seeds(_name(partner_key), json.loads(seeds))


def _name(partner_key: str) -> str:
    return f"PARTNER_{partner_key.upper()}"


def _place(tenant: str, partner_key: str) -> VaultPath:
    return VaultPath(_MOUNT, f"careline/nats/partners/{tenant}/{partner_key}", _FIELD)
