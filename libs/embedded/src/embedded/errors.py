"""What can go wrong with an embedded server: one line each, saying what to do next."""

from pathlib import Path


class EmbeddedServerError(Exception):
    """An embedded server could not do what was asked of it."""


class BinaryMissing(EmbeddedServerError):
    def __init__(self, server: str, distribution: str) -> None:
        super().__init__(
            f"{server}: no binary for this machine in the package {distribution}; "
            "install the project again on Linux x86-64 (make setup)"
        )


class PortInUse(EmbeddedServerError):
    def __init__(self, server: str, port: int) -> None:
        super().__init__(
            f"{server}: port {port} on 127.0.0.1 is in use; stop what listens there or name another"
        )


class DiskFull(EmbeddedServerError):
    def __init__(self, server: str, folder: Path, free_mb: int, needed_mb: int) -> None:
        super().__init__(
            f"{server}: the disk is full, {free_mb} MB free at {folder}; "
            f"free at least {needed_mb} MB and start again"
        )


class PathTooLong(EmbeddedServerError):
    def __init__(self, server: str, folder: Path) -> None:
        super().__init__(
            f"{server}: no Unix socket fits below {folder}; "
            "use a shorter data directory or a shorter TMPDIR"
        )


class DataDirInUse(EmbeddedServerError):
    def __init__(self, server: str, folder: Path) -> None:
        super().__init__(f"{server}: already running on {folder}; stop it first")


class DataDirNotOurs(EmbeddedServerError):
    def __init__(self, server: str, folder: Path) -> None:
        super().__init__(
            f"{server}: {folder} belongs to another user; "
            "run as that user or choose another data directory"
        )


class FolderClosed(EmbeddedServerError):
    def __init__(self, server: str, folder: Path) -> None:
        super().__init__(
            f"{server}: does not run as root, and another user cannot enter {folder}; "
            "move project and data directory out of it, or run as another user"
        )


class SecretMissing(EmbeddedServerError):
    def __init__(self, server: str, file: Path) -> None:
        super().__init__(
            f"{server}: {file} is missing; put it back or start on a new data directory"
        )


class PreparationFailed(EmbeddedServerError):
    def __init__(self, server: str, step: str, log_file: Path) -> None:
        super().__init__(f"{server}: {step} failed; see the end of {log_file}")


class ServerDied(EmbeddedServerError):
    """The process ended when it should serve; `code` is its exit status, negative for a signal."""

    def __init__(self, server: str, code: int, log_file: Path) -> None:
        how = f"was killed by signal {-code}" if code < 0 else f"ended with status {code}"
        super().__init__(f"{server}: {how}; see the end of {log_file}")
        self.code = code


class NotReady(EmbeddedServerError):
    def __init__(self, server: str, seconds: float, log_file: Path) -> None:
        super().__init__(f"{server}: not ready after {seconds:g} s; see the end of {log_file}")


class AlreadyInitialized(EmbeddedServerError):
    def __init__(self, server: str) -> None:
        super().__init__(
            f"{server}: initialised already; its root token was given out once, at the first run"
        )
