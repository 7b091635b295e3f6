"""The files of a PostgreSQL cluster: created whole, and freed of what a killed server leaves."""

import os
import shutil
import signal
import subprocess
from dataclasses import dataclass
from pathlib import Path

from embedded.account import Account
from embedded.data_dir import require_space
from embedded.errors import DataDirInUse, PreparationFailed
from embedded.launched import launched
from embedded.postgres_tools import ENVIRONMENT
from embedded.private_files import (
    open_log,
    private_folder,
    random_secret,
    sync_folder,
    write_private,
)
from embedded.wheels import postgres_folder

SUPERUSER = "postgres"
INITDB_SECONDS = 120.0


@dataclass(frozen=True, slots=True)
class PostgresCluster:
    """The cluster of the server named `server` in `folder`, and its superuser's password."""

    server: str
    folder: Path
    password_file: Path
    log_file: Path

    def create(self, account: Account | None, *, durable: bool) -> None:
        """Create it beside its place and move it there whole: no half cluster is ever used.

        Raises PreparationFailed and DiskFull.
        """
        new = self.folder.with_name(f"{self.folder.name}.new")
        if new.exists():
            shutil.rmtree(new)
        private_folder(new, account)
        write_private(self.password_file, random_secret() + "\n", account)
        if not self._initdb(new, account, durable=durable):
            require_space(self.server, self.folder.parent)
            raise PreparationFailed(self.server, "creating the database cluster", self.log_file)
        new.rename(self.folder)
        sync_folder(self.folder.parent)

    def _initdb(self, folder: Path, account: Account | None, *, durable: bool) -> bool:
        initdb = (
            str(postgres_folder() / "bin" / "initdb"),
            *("-D", str(folder), "--username", SUPERUSER, "--pwfile", str(self.password_file)),
            *("--auth", "scram-sha-256", "--encoding", "UTF-8", "--data-checksums"),
            # Collation of PostgreSQL's own: the same on every machine, whatever its libc.
            *("--locale-provider", "builtin", "--builtin-locale", "C.UTF-8", "--locale", "C"),
            *("--no-instructions", *(() if durable else ("--no-sync",))),
        )
        log = open_log(self.log_file)
        try:
            ended = subprocess.run(  # noqa: S603 - the wheel's program, the arguments above
                launched(initdb, stop_signal=signal.SIGTERM, account=account),
                env=ENVIRONMENT,
                cwd=folder.parent,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                timeout=INITDB_SECONDS,
                check=False,
            )
        except subprocess.TimeoutExpired:
            return False
        finally:
            os.close(log)
        return ended.returncode == 0

    def clear_stale_lock(self) -> None:
        """Remove a killed server's lock file: its process id may be another program's by now.

        Raises DataDirInUse when it is the id of a server on this cluster.
        """
        file = self.folder / "postmaster.pid"
        try:
            process_id = file.read_text(encoding="utf-8").partition("\n")[0]
            works_in = Path(f"/proc/{int(process_id)}/cwd").readlink()
        except (OSError, ValueError):
            works_in = None
        if works_in == self.folder:
            raise DataDirInUse(self.server, self.folder.parent)
        file.unlink(missing_ok=True)
