"""Where a platform keeps everything it writes."""

import json
import os
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Self

from embedded import write_private

from careline_cli.command_error import CommandError


class DataDirectoryError(CommandError):
    """The data directory can not be used as asked; the text says what to do."""


@dataclass(frozen=True, slots=True)
class Addresses:
    """Where a running platform is reached: "host:port" a service, and what serves them."""

    supervisor_pid: int
    vault: str
    nats: str
    services: Mapping[str, str]
    health: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class DataDirectory:
    """Paths below one folder; nothing of a platform lies outside it."""

    root: Path

    @classmethod
    def of(cls, folder: Path) -> Self:
        return cls(folder.expanduser().absolute())

    def create(self) -> None:
        """Make the folder and its private parts; again is a no-op."""
        try:
            for folder in (self.root, self.secrets, self.logs, self.services):
                folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        except OSError as error:
            raise DataDirectoryError(
                f"cannot write to {self.root} ({error.strerror}); choose another --data-dir"
            ) from None

    @property
    def secrets(self) -> Path:
        return self.root / "secrets"

    @property
    def logs(self) -> Path:
        return self.root / "log"

    @property
    def services(self) -> Path:
        return self.root / "services"

    @property
    def addresses_file(self) -> Path:
        return self.root / "platform.json"

    @property
    def agent_token_file(self) -> Path:
        return self.secrets / "demo-agent.token.json"

    @property
    def demo_accounts_file(self) -> Path:
        return self.secrets / "demo-accounts.json"

    def write_addresses(self, addresses: Addresses) -> None:
        write_private(self.addresses_file, json.dumps(asdict(addresses), indent=2))

    def forget_addresses(self) -> None:
        self.addresses_file.unlink(missing_ok=True)

    def require_stopped(self) -> None:
        """Raise DataDirectoryError when a platform runs on this folder."""
        try:
            running = self.addresses().supervisor_pid
        except DataDirectoryError:
            return
        raise DataDirectoryError(
            f"process {running} runs a platform on {self.root}; stop it with: careline down"
        )

    def addresses(self) -> Addresses:
        """Read where the platform is reached.

        Raises DataDirectoryError when no platform runs on this folder.
        """
        try:
            addresses = Addresses(**json.loads(self.addresses_file.read_text()))
            os.kill(addresses.supervisor_pid, 0)
        except (FileNotFoundError, ProcessLookupError):
            raise DataDirectoryError(
                f"no platform runs on {self.root}; start one with: careline up"
            ) from None
        return addresses
