"""How the supervisor reaches Vault: as root at the first start, as the provisioner ever after."""

import asyncio
from datetime import UTC, datetime
from pathlib import Path

import hvac
import requests
from embedded import AlreadyInitialized, OpenBaoServer, write_private
from hvac.exceptions import InvalidRequest, VaultError

from careline_cli.platform.app_role import (
    VAULT_SECONDS,
    AppRole,
    keep_app_role,
    kept_app_role,
    signed_in,
)
from careline_cli.platform.data_directory import DataDirectory, DataDirectoryError
from careline_cli.platform.provisioner import signed_in_provisioner
from careline_cli.platform.service_process import Admission, ServiceNotPrepared
from careline_cli.platform.vault_snapshots import take_snapshot
from careline_cli.provision.vault import INSTALLER, VaultProvisioner


class VaultAccess:
    """Vault of one data directory."""

    def __init__(self, server: OpenBaoServer, data: DataDirectory) -> None:
        self._server = server
        self._data = data

    def app_role_file(self, workload: str) -> Path:
        return self._data.secrets / f"{workload}.approle.json"

    async def privileged(self) -> hvac.Client:
        """Give a client that may provision: root until the installer is kept, the last of all.

        Raises DataDirectoryError when a killed start left neither.
        """
        file = self.app_role_file(INSTALLER)
        if file.exists():
            return await asyncio.to_thread(signed_in, self._server.url, kept_app_role(file))
        if not self._root_token_file.exists():
            initializing = asyncio.create_task(self._initialize())
            try:
                await asyncio.shield(initializing)
            except asyncio.CancelledError:
                # What is given out once must be kept, whoever stops the start meanwhile.
                await initializing
                raise
        token = self._root_token_file.read_text()
        return hvac.Client(self._server.url, token=token, timeout=VAULT_SECONDS)

    async def _initialize(self) -> None:
        try:
            initialized = await self._server.initialize()
        except AlreadyInitialized:
            raise DataDirectoryError(
                f"the first start on {self._data.root} was killed before it kept Vault's keys; "
                "remove that folder and start again"
            ) from None
        write_private(self._data.secrets / "vault-recovery.key", initialized.recovery_key)
        write_private(self._root_token_file, initialized.root_token)

    def surrender(self, vault: VaultProvisioner) -> None:
        """End the privileged client's token, and forget root's."""
        vault.revoke_own_token()
        self._root_token_file.unlink(missing_ok=True)

    def snapshot(self) -> None:
        """Take a snapshot, so that there is always one of what was provisioned last."""
        take_snapshot(self._data, self._server.url, now=datetime.now(UTC))

    @property
    def _root_token_file(self) -> Path:
        return self._data.secrets / "vault-root.token"

    def provisioner(self) -> VaultProvisioner:
        """Sign in as the provisioner; raises FileNotFoundError before the first provisioning."""
        return signed_in_provisioner(self._data, self._server.url)

    def keep(self, vault: VaultProvisioner, workload: str) -> None:
        """Keep what a person's program signs in with, unless what is kept still does.

        Older snapshots of Vault know that secret id and none from after them.
        """
        if self._signs_in(workload):
            return
        role = AppRole(vault.role_id(workload), vault.secret_id(workload))
        keep_app_role(self.app_role_file(workload), role)

    def _signs_in(self, workload: str) -> bool:
        try:
            role = kept_app_role(self.app_role_file(workload))
            client = signed_in(self._server.url, role)
        except (FileNotFoundError, InvalidRequest):
            return False
        client.auth.token.revoke_self()
        return True

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
