"""PostgreSQL's configuration, rewritten at every start so that a new release brings its own."""

from collections.abc import Mapping
from pathlib import Path

HBA = "local all all scram-sha-256\n"


def postgres_settings(
    *, socket_dir: Path, hba_file: Path, durable: bool, own: Mapping[str, str]
) -> str:
    """Write the text of postgresql.conf for a small machine shared with other servers.

    What it logs are the server's own doings: messages of failed statements, their text and details
    can hold values of patients, and their callers are told anyway. Dynamic shared memory is mapped
    from files of the data directory, because a container's /dev/shm is small and a killed server
    would leave its segments there. `own` adds to these or replaces them.
    """
    commits = "on" if durable else "off"
    settings = {
        "listen_addresses": "",
        "unix_socket_directories": one_of_a_list(str(socket_dir)),
        "unix_socket_permissions": "0700",
        "hba_file": str(hba_file),
        "password_encryption": "scram-sha-256",
        "max_connections": "200",
        "shared_buffers": "128MB",
        "dynamic_shared_memory_type": "mmap",
        "huge_pages": "off",
        "fsync": commits,
        "synchronous_commit": commits,
        "full_page_writes": commits,
        "max_wal_size": "1GB",
        "timezone": "UTC",
        "log_timezone": "UTC",
        "log_min_messages": "log",
        "log_min_error_statement": "panic",
        "log_error_verbosity": "terse",
        "log_line_prefix": "%m [%p] ",
        **own,
    }
    return "".join(f"{name} = {quoted(value)}\n" for name, value in settings.items())


def one_of_a_list(value: str) -> str:
    return '"' + value.replace('"', '""') + '"'


def quoted(value: str) -> str:
    return "'" + value.replace("\\", "\\\\").replace("'", "''") + "'"
