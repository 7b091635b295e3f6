"""The Vault policy lets the service do its work, and nothing that is another's."""

from importlib.resources import files

import hvac
import pytest
from conftest import OpenBao
from integration.runtime.vault_rig import VaultRig


@pytest.fixture
def service(vault: VaultRig, openbao: OpenBao) -> hvac.Client:
    """A client with the policy, as the service's AppRole gives it."""
    policy = files("conversations").joinpath("vault_policy.hcl").read_text(encoding="utf-8")
    vault.root.sys.create_or_update_policy("conversations-test", policy)
    answer = vault.root.auth.token.create(policies=["conversations-test"], no_parent=True)
    return openbao.client(answer["auth"]["client_token"])


@pytest.mark.parametrize(
    ("path", "capabilities"),
    [
        ("transit/sign/token-conversations", {"create", "update"}),
        ("transit/keys/token-identity", {"read"}),
        ("transit/keys/assertion-identity", {"read"}),
        ("transit/sign/archive-conversations", {"create", "update"}),
        ("transit/keys/archive-conversations", {"read"}),
        ("transit/encrypt/tenant-demo", {"update"}),
        ("transit/decrypt/tenant-demo", {"create", "update"}),
        ("database/creds/conversations", {"read"}),
        ("database/creds/keyring-conversations", {"read"}),
        ("secret/data/careline/nats/conversations", {"read"}),
        ("sys/leases/revoke", {"update"}),
        ("transit/sign/token-identity", {"deny"}),
        ("transit/sign/assertion-identity", {"deny"}),
        ("transit/sign/archive-routing", {"deny"}),
        ("transit/keys/tenant-demo", {"deny"}),
        ("transit/export/encryption-key/tenant-demo", {"deny"}),
        ("database/creds/keyring-patient_context", {"deny"}),
        ("database/creds/identity", {"deny"}),
        ("secret/data/careline/nats/routing", {"deny"}),
        ("sys/policies/acl/conversations", {"deny"}),
    ],
)
def test_the_policy_grants_what_is_needed_and_no_more(
    service: hvac.Client, path: str, capabilities: set[str]
) -> None:
    answer = service.write_data("sys/capabilities-self", data={"paths": [path]})

    assert isinstance(answer, dict)
    assert set(answer["data"][path]) == capabilities
