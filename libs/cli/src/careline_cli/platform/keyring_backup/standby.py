"""The keyring as one of two disks: it answers a commit when the receiver has it on its disk, too.

Whoever lets the receiver and base backups in is one role that can replicate and nothing else: it
opens no database.
"""

from dataclasses import dataclass

from embedded import PostgresServer, write_private
from embedded.private_files import random_secret
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from careline_cli.platform.data_directory import DataDirectory, DataDirectoryError
from careline_cli.platform.keyring_backup.folder import BackupFolder
from careline_cli.provision.provisioned import superuser_engine

ROLE = "keyring_backup"
STANDBY = "keyring_wal"
SLOT = "keyring_wal"
SYNCHRONOUS = "sync"


@dataclass(frozen=True, slots=True)
class StandbyState:
    """What the keyring says of its receiver; `lag_bytes` is what it has not on its disk yet."""

    synchronous: bool
    received: str | None
    lag_bytes: int | None


def keyring_server(data: DataDirectory) -> PostgresServer:
    """Give the keyring as a platform runs it.

    No commit ends before the receiver has it, from the first start on: role and slot are made
    without waiting. Raises as `require_keyring`.
    """
    require_keyring(data)
    server = alone(data)
    return PostgresServer(
        server.data_dir,
        name=server.name,
        settings={"synchronous_standby_names": STANDBY},
        hba=f"local replication {ROLE} scram-sha-256\nlocal all {ROLE} reject\n",
    )


def require_keyring(data: DataDirectory) -> None:
    """Raise DataDirectoryError when the keyring is lost and its backups are there."""
    server, backups = alone(data), BackupFolder.of(data)
    if not server.cluster.exists() and backups.all():
        raise DataDirectoryError(
            f"the keyring in {server.data_dir} is gone, its backups are in {backups.root}; bring "
            "it back with: careline keyring restore"
        )


def alone(data: DataDirectory) -> PostgresServer:
    """Give the keyring of a stopped platform, whose commits wait for nobody."""
    return PostgresServer(data.root / "keyring", name="keyring")


@dataclass(frozen=True, slots=True)
class PasswordFile:
    """The role's password as libpq reads it, in a file of mode 0600."""

    server: PostgresServer

    @property
    def environment(self) -> dict[str, str]:
        return {
            "PGHOST": str(self.server.socket_dir),
            "PGUSER": ROLE,
            "PGPASSFILE": str(self.server.data_dir / "backup.pgpass"),
        }

    def renew(self) -> str:
        """Keep a new password and give it."""
        password = random_secret()
        file = self.server.data_dir / "backup.pgpass"
        write_private(file, f"*:*:*:{ROLE}:{password}\n", self.server.account())
        return password


async def let_in(server: PostgresServer) -> None:
    """Make the role, with a new password, and the slot that keeps the log for the receiver."""
    password = PasswordFile(server).renew()
    async with superuser_engine(server, "postgres") as engine, engine.begin() as connection:
        # The receiver that this commit would wait for has no way in yet.
        await connection.execute(text("set local synchronous_commit = local"))
        found = await connection.scalar(
            text("select 1 from pg_roles where rolname = :role"), {"role": ROLE}
        )
        verb = "create" if found is None else "alter"
        # Of random_secret's letters none ends a literal; the server logs no statements.
        await connection.exec_driver_sql(
            f"{verb} role {ROLE} login replication password '{password}'"
        )
        await connection.execute(
            text(
                "select pg_create_physical_replication_slot(:slot, true) where not exists "
                "(select from pg_replication_slots where slot_name = :slot)"
            ),
            {"slot": SLOT},
        )


async def standby_state(engine: AsyncEngine) -> StandbyState:
    """Ask the keyring, as a superuser."""
    asked = text(
        "select sync_state, flush_lsn::text as flushed, "
        "pg_wal_lsn_diff(pg_current_wal_flush_lsn(), flush_lsn)::bigint as lag "
        "from pg_stat_replication where application_name = :standby and state = 'streaming'"
    )
    async with engine.connect() as connection:
        row = (await connection.execute(asked, {"standby": STANDBY})).one_or_none()
    if row is None:
        return StandbyState(synchronous=False, received=None, lag_bytes=None)
    lag = None if row.lag is None else max(int(row.lag), 0)
    return StandbyState(row.sync_state == SYNCHRONOUS, row.flushed, lag)
