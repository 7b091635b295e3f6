"""Signing in to a running Vault as the provisioner, for as long as something takes."""

from collections.abc import Iterator
from contextlib import contextmanager

import requests
from hvac.exceptions import VaultError

from careline_cli.platform.app_role import kept_app_role, signed_in
from careline_cli.platform.data_directory import DataDirectory, DataDirectoryError
from careline_cli.provision.vault import PROVISIONER, VaultProvisioner


@contextmanager
def provisioner(data: DataDirectory, vault_url: str) -> Iterator[VaultProvisioner]:
    """Be the provisioner until the context ends; raises DataDirectoryError when Vault refuses."""
    try:
        vault = signed_in_provisioner(data, vault_url)
        try:
            yield vault
        finally:
            vault.revoke_own_token()
    except (VaultError, requests.RequestException, FileNotFoundError) as error:
        raise DataDirectoryError(
            f"the provisioner cannot sign in ({type(error).__name__}); see: careline status"
        ) from None


def signed_in_provisioner(data: DataDirectory, vault_url: str) -> VaultProvisioner:
    """Sign in; raises hvac's errors, and FileNotFoundError before the first provisioning."""
    role = kept_app_role(data.secrets / f"{PROVISIONER}.approle.json")
    return VaultProvisioner(signed_in(vault_url, role))
