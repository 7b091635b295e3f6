"""How the supervisor reaches Vault: as root at the first start, as the provisioner ever after."""

import asyncio
from pathlib import Path

import hvac
import requests
from embedded import OpenBaoServer, write_private
from hvac.exceptions import VaultError

from careline_cli.platform.app_role import (
    VAULT_SECONDS,
    AppRole,
    keep_app_role,
    kept_app_role,
    signed_in,
)
from careline_cli.platform.data_directory import DataDirectory
from careline_cli.platform.service_process import Admission, ServiceNotPrepared
from careline_cli.provision.vault import INSTALLER, PROVISIONER, VaultProvisioner


class VaultAccess:
    """Vault of one data directory."""

    def __init__(self, server: OpenBaoServer, data: DataDirectory) -> None:
        self._server = server
        self._data = data

    def app_role_file(self, workload: str) -> Path:
        return self._data.secrets / f"{workload}.approle.json"

    async def privileged(self) -> hvac.Client:
        """Give a client that may provision: root at the first start, later the installer."""
        file = self.app_role_file(INSTALLER)
        if file.exists():
            return await asyncio.to_thread(signed_in, self._server.url, kept_app_role(file))
        initialized = await self._server.initialize()
        write_private(self._data.secrets / "vault-recovery.key", initialized.recovery_key)
        return hvac.Client(self._server.url, token=initialized.root_token, timeout=VAULT_SECONDS)

    def provisioner(self) -> VaultProvisioner:
        """Sign in as the provisioner; raises FileNotFoundError before the first provisioning."""
        role = kept_app_role(self.app_role_file(PROVISIONER))
        return VaultProvisioner(signed_in(self._server.url, role))

    def keep(self, vault: VaultProvisioner, workload: str) -> None:
        """Keep what a person's program signs in with."""
        role = AppRole(vault.role_id(workload), vault.secret_id(workload))
        keep_app_role(self.app_role_file(workload), role)

    def admit(self, service: str) -> Admission:
        """Give a service its next admission. Raises ServiceNotPrepared while Vault is away."""
        try:
            vault = self.provisioner()
            admission = Admission(vault.role_id(service), vault.wrapped_secret_id(service))
            vault.revoke_own_token()
        except (VaultError, requests.RequestException) as error:
            raise ServiceNotPrepared(
                f"{service}: Vault is away ({type(error).__name__}); it is tried again"
            ) from None
        return admission
