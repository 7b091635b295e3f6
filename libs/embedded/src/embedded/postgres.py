"""PostgreSQL 18 from its wheel, on a Unix socket only."""

import signal
from collections.abc import Mapping
from pathlib import Path
from urllib.parse import quote

from embedded.account import Account, account_for
from embedded.errors import PreparationFailed, SecretMissing
from embedded.launched import launched
from embedded.polling import until
from embedded.postgres_cluster import SUPERUSER, PostgresCluster
from embedded.postgres_settings import HBA, postgres_settings
from embedded.postgres_startup import accepts_connections
from embedded.postgres_tools import ENVIRONMENT, run_tool
from embedded.private_files import random_secret, write_private
from embedded.server import Command, Progress, silent
from embedded.socket_dir import choose_socket_dir, make_socket_dir, remove_socket_dir
from embedded.wheels import postgres_folder

SOCKET_NAME = ".s.PGSQL.5432"


class PostgresServer:
    """A database cluster in `data_dir`, its superuser's password in a file beside it.

    With `durable=False` a crash of the machine may
    corrupt the data: for tests. Run by root, the server becomes another user (see `account.py`).
    `settings` and `hba` (lines of pg_hba.conf, which come first) are this server's own.
    """

    stop_signal = signal.SIGINT  # "fast": sessions are ended, data is written

    def __init__(
        self,
        data_dir: Path,
        *,
        name: str = "postgres",
        durable: bool = True,
        settings: Mapping[str, str] | None = None,
        hba: str = "",
    ) -> None:
        self.name = name
        self.data_dir = data_dir.resolve()
        self.log_file = self.data_dir / "postgres.log"
        self.socket_dir = choose_socket_dir(name, self.data_dir, SOCKET_NAME)
        self.cluster = self.data_dir / "cluster"
        self._durable = durable
        self._own_settings = settings or {}
        self._own_hba = hba
        self._config = self.data_dir / "postgresql.conf"
        self._hba = self.data_dir / "pg_hba.conf"
        self._password = self.data_dir / "superuser.password"

    def dsn(self, database: str = "postgres") -> str:
        """Return the superuser's libpq URI of a database. Holds the password: never log it."""
        try:
            password = self._password.read_text(encoding="ascii").strip()
        except FileNotFoundError:
            raise SecretMissing(self.name, self._password) from None
        host = quote(str(self.socket_dir), safe="")
        return f"postgresql://{SUPERUSER}:{password}@/{quote(database, safe='')}?host={host}"

    def prepare(self, progress: Progress = silent) -> None:
        account = self.account()
        if account is not None:
            # Enough for the account to pass through to what is its own.
            self.data_dir.chmod(0o711)
        cluster = PostgresCluster(self.name, self.cluster, self._password, self.log_file)
        if not self.cluster.exists():
            progress("creating the database cluster")
            cluster.create(account, durable=self._durable)
        cluster.clear_stale_lock()
        make_socket_dir(self.name, self.socket_dir, account)
        # A killed server's, too: by its process id alone PostgreSQL would take it for a live one's.
        (self.socket_dir / f"{SOCKET_NAME}.lock").unlink(missing_ok=True)
        settings = postgres_settings(
            socket_dir=self.socket_dir,
            hba_file=self._hba,
            durable=self._durable,
            own=self._own_settings,
        )
        write_private(self._config, settings, account)
        write_private(self._hba, self._own_hba + HBA, account)

    def command(self) -> Command:
        program = str(postgres_folder() / "bin" / "postgres")
        argv = (program, "-D", str(self.cluster), f"--config-file={self._config}")
        return Command(
            launched(argv, stop_signal=self.stop_signal, account=self.account()),
            env=ENVIRONMENT,
            cwd=self.data_dir,
        )

    def forget_password(self) -> None:
        """Give the superuser of a stopped server a new password, as for a cluster from elsewhere.

        Raises PreparationFailed.
        """
        account = self.account()
        password = random_secret()
        write_private(self._password, password + "\n", account)
        ended = run_tool(
            self.name,
            "postgres",
            (
                "--single",
                *("-D", str(self.cluster), f"--config-file={self._config}", "postgres"),
            ),
            log_file=self.log_file,
            account=account,
            # Of random_secret's letters none ends a literal; the server logs no statements.
            text=f"alter role {SUPERUSER} password '{password}'\n",
        )
        if ended != 0:
            raise PreparationFailed(self.name, "setting a new password", self.log_file)

    async def wait_ready(self) -> None:
        socket = self.socket_dir / SOCKET_NAME
        await until(lambda: accepts_connections(socket, SUPERUSER))

    def release(self) -> None:
        remove_socket_dir(self.socket_dir, self.data_dir)

    def account(self) -> Account | None:
        """Give the user that it runs as; None is whoever starts it."""
        return account_for(self.name, self.cluster, postgres_folder() / "bin" / "postgres")
