"""Every secret that Vault keeps as one, decrypted by it."""

import json
from collections.abc import Iterator

import hvac
from careline_cli.platform.app_role import kept_app_role, signed_in
from careline_cli.platform.data_directory import DataDirectory
from careline_cli.provision.vault import INSTALLER, VaultProvisioner, Workload
from e2e.clear_scan.piece import Piece

# Nobody of the platform may read all of them: the installer makes somebody who may.
READER = Workload("scanner", 'path "secret/*" { capabilities = ["read", "list"] }')


def vault_secrets(url: str, data: DataDirectory) -> Iterator[Piece]:
    """Give every version of every secret, with its path; the store is `secrets`."""
    installer = signed_in(url, kept_app_role(data.secrets / f"{INSTALLER}.approle.json"))
    vault = VaultProvisioner(installer)
    vault.workloads([READER])
    client = hvac.Client(url)
    role = installer.auth.approle.generate_secret_id(READER.name)["data"]
    client.auth.approle.login(vault.role_id(READER.name), role["secret_id"])
    for path in _paths(client, ""):
        metadata = client.secrets.kv.v2.read_secret_metadata(path)["data"]
        for version in metadata["versions"]:
            answer = client.secrets.kv.v2.read_secret_version(
                path, version=int(version), raise_on_deleted_version=False
            )
            content = json.dumps(answer["data"], ensure_ascii=False)
            yield Piece("secrets", f"{path} {version}", f"{path}\n{content}".encode())
    client.auth.token.revoke_self()
    vault.revoke_own_token()


def _paths(client: hvac.Client, folder: str) -> Iterator[str]:
    for name in client.secrets.kv.v2.list_secrets(folder)["data"]["keys"]:
        if name.endswith("/"):
            yield from _paths(client, folder + name)
        else:
            yield folder + name
