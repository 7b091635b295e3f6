"""Where a platform keeps everything it writes."""

import fcntl
import json
import os
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Self

from embedded import write_private

from careline_cli.command_error import CommandError
from careline_cli.platform.backup_owner import own_backup, require_own

MB = 1 << 20
# A new platform takes 100 MB, and none is well with its disk all but full.
NEEDED_MB = 256
BACKUP_DIRECTORY = "CARELINE_BACKUP_DIRECTORY"


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
    """Paths below one folder; nothing of a platform lies outside it but `backups`, where asked."""

    root: Path
    backups: Path

    @classmethod
    def of(cls, folder: Path) -> Self:
        """Take a folder, and backups where this process's BACKUP_DIRECTORY puts them."""
        alone = cls.alone(folder)
        elsewhere = os.environ.get(BACKUP_DIRECTORY)
        return cls(alone.root, Path(elsewhere).absolute()) if elsewhere else alone

    @classmethod
    def alone(cls, folder: Path) -> Self:
        """Take a folder with its backups in it, whatever the environment says."""
        root = folder.expanduser().absolute()
        return cls(root, root / "backup")

    def create(self) -> None:
        """Make the folder and its private parts; again is a no-op.

        Raises DataDirectoryError, and BackupNotOurs where the backups are another platform's.
        """
        try:
            for folder in (self.root, self.secrets, self.logs, self.services, self.backups):
                folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            own_backup(self.secrets, self.backups)
        except OSError as error:
            raise self._closed(error) from None

    def require_space(self) -> None:
        """Raise DataDirectoryError when the disk is too full to run a platform on this folder."""
        place = next(folder for folder in (self.root, *self.root.parents) if folder.exists())
        free_mb = shutil.disk_usage(place).free // MB
        if free_mb < NEEDED_MB:
            raise DataDirectoryError(
                f"the disk is full, {free_mb} MB free at {place}; free at least {NEEDED_MB} MB and "
                "start again"
            )

    @contextmanager
    def held(self) -> Iterator[None]:
        """Hold the folder for one platform, from before its start until after its end.

        Raises DataDirectoryError when another one holds it.
        """
        with self._lock() as descriptor:
            if not _locked(descriptor, fcntl.LOCK_EX):
                raise DataDirectoryError(
                    f"a platform starts or stops on {self.root} at this moment; wait for it, or "
                    "choose another --data-dir"
                )
            yield

    def is_held(self) -> bool:
        """Tell whether a platform starts, runs or stops on this folder."""
        with self._lock() as descriptor:
            return not _locked(descriptor, fcntl.LOCK_SH)

    @contextmanager
    def _lock(self) -> Iterator[int]:
        flags = os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC
        try:
            descriptor = os.open(self.root / "lock", flags, 0o600)
        except OSError as error:
            raise self._closed(error) from None
        try:
            yield descriptor
        finally:
            os.close(descriptor)

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
    def archive(self) -> Path:
        """Where the services archive their logs: what a lost database is restored from."""
        return self.root / "archive"

    @property
    def left_out(self) -> Path:
        """Where a restore keeps what a stream had and the restored log has not."""
        return self.root / "left-out"

    @property
    def backup(self) -> Path:
        """Where the keyring and Vault are backed up; BACKUP_DIRECTORY puts it on another disk.

        Raises BackupNotOurs: nobody reads or writes another platform's.
        """
        require_own(self.secrets, self.backups)
        return self.backups

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

        Raises DataDirectoryError when no platform runs on this folder. What a killed one left does
        not count, whoever has its process id by now.
        """
        try:
            addresses = Addresses(**json.loads(self.addresses_file.read_text()))
            held = self.is_held()
        except (FileNotFoundError, NotADirectoryError):
            raise self._nobody() from None
        except PermissionError as error:
            raise self._closed(error) from None
        if not held:
            raise self._nobody()
        return addresses

    def _closed(self, error: OSError) -> DataDirectoryError:
        return DataDirectoryError(
            f"cannot write to {self.root} ({error.strerror}); run as its owner or choose "
            "another --data-dir"
        )

    def _nobody(self) -> DataDirectoryError:
        return DataDirectoryError(f"no platform runs on {self.root}; start one with: careline up")


def _locked(descriptor: int, kind: int) -> bool:
    try:
        fcntl.flock(descriptor, kind | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
