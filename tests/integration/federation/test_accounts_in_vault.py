import asyncio

import pytest
from federation.adapters.vault_accounts import VaultPartnerAccounts, kept_operator
from federation.settings import FederationSettings
from integration.federation.platform_rig import PlatformRig
from runtime.new_id import new_id
from runtime.secret_reference import VaultPath
from runtime.vault.errors import VaultAbsent, VaultDenied
from runtime.vault.key_values import read_secret


async def test_federation_reads_the_operator_where_its_settings_say(rig: PlatformRig) -> None:
    where = FederationSettings.model_fields["nats_operator_seeds"].default
    assert await kept_operator(rig.servers.vault, where) == rig.nats.operator


async def test_an_account_made_by_several_at_once_is_one(rig: PlatformRig) -> None:
    accounts = VaultPartnerAccounts(rig.servers.vault)
    key = f"k{new_id().hex[-10:]}"
    made = await asyncio.gather(*(accounts.make("demo", key) for _ in range(6)))
    assert len({account.public for account in made}) == 1
    assert await accounts.kept("demo", key) == made[0]
    assert (await accounts.make("other", key)).public != made[0].public


async def test_an_account_that_is_gone_is_not_made_anew_by_reading_it(rig: PlatformRig) -> None:
    with pytest.raises(VaultAbsent):
        await VaultPartnerAccounts(rig.servers.vault).kept("demo", "nobody")


@pytest.mark.parametrize("path", ["careline/nats/routing", "careline/provisioned"])
async def test_federations_policy_reads_no_other_secret(rig: PlatformRig, path: str) -> None:
    rig.vault.secrets.kv.v2.create_or_update_secret(path, secret={"creds": "x"})
    with pytest.raises(VaultDenied):
        await read_secret(rig.servers.vault, VaultPath("secret", path, "creds"))


async def test_federations_policy_deletes_no_account(rig: PlatformRig) -> None:
    await VaultPartnerAccounts(rig.servers.vault).make("demo", "kept")
    with pytest.raises(VaultDenied):
        await rig.servers.vault.call(
            lambda client: client.secrets.kv.v2.delete_metadata_and_all_versions(
                "careline/nats/partners/demo/kept"
            )
        )
