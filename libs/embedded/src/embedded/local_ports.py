"""Free ports on 127.0.0.1, kept in a file so that a server has the same addresses at every run.

Between choosing a port and listening on it there is time for another server to choose it, too: of
this platform or of one that starts beside it. So a port is claimed first, by a name in Linux's
abstract socket namespace, which one process of the machine can hold and loses when it ends.
"""

import json
import secrets
import socket
from collections.abc import Mapping
from pathlib import Path

from embedded.errors import EmbeddedServerError, PortInUse
from embedded.private_files import write_private

HOST = "127.0.0.1"
# Below the ports that Linux gives to outgoing connections (ip_local_port_range starts at 32768):
# one of those could take a server's port while it restarts.
RANGE = range(20000, 32000)
ATTEMPTS = 200


class LocalPorts:
    """The ports of one server by what they are for; `asked` holds those that the caller fixed."""

    def __init__(self, server: str, file: Path, asked: Mapping[str, int | None]) -> None:
        self._server = server
        self._file = file
        self._asked = asked
        self._settled: dict[str, int] | None = None

    def __getitem__(self, use: str) -> int:
        """Return the port settled here, or by an earlier run; EmbeddedServerError before both."""
        ports = self._remembered() if self._settled is None else self._settled
        try:
            return ports[use]
        except KeyError:
            raise EmbeddedServerError(
                f"{self._server}: no port chosen yet; start it first"
            ) from None

    def settle(self) -> None:
        """Choose free ports, the earlier run's where they are free.

        Once settled they stay, since clients know them by then. Raises PortInUse when one of those,
        or one that was asked for, is taken.
        """
        if self._settled is not None:
            for port in self._settled.values():
                self._require_free(port)
            return
        remembered = self._remembered()
        chosen: dict[str, int] = {}
        for use, asked in self._asked.items():
            if asked is not None:
                self._require_free(asked)
                chosen[use] = asked
            elif use in remembered and is_free(remembered[use]) and _claim(remembered[use]):
                chosen[use] = remembered[use]
            else:
                chosen[use] = self._any_free()
        if chosen != remembered:
            write_private(self._file, json.dumps(chosen) + "\n")
        self._settled = chosen

    def _remembered(self) -> dict[str, int]:
        try:
            text = self._file.read_text(encoding="ascii")
        except FileNotFoundError:
            return {}
        return {str(use): int(port) for use, port in json.loads(text).items()}

    def _require_free(self, port: int) -> None:
        if not is_free(port):
            raise PortInUse(self._server, port)

    def _any_free(self) -> int:
        for _ in range(ATTEMPTS):
            port = secrets.choice(RANGE)
            if port not in _claimed and is_free(port) and _claim(port):
                return port
        raise EmbeddedServerError(
            f"{self._server}: no free port on {HOST} from {RANGE.start} to {RANGE.stop - 1}"
        )


# File descriptors by port, open until the process ends: sockets would be closed with their object.
_claimed: dict[int, int] = {}


def _claim(port: int) -> bool:
    """Keep a port from every other process that asks; tell whether it is this one's now."""
    if port in _claimed:
        return True
    claim = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    try:
        claim.bind(f"\0careline-port-{port}")
    except OSError:
        claim.close()
        return False
    _claimed[port] = claim.detach()
    return True


def is_free(port: int) -> bool:
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        # As servers do: connections of an earlier run that still linger are no hindrance.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
            probe.listen(1)
        except OSError:
            return False
    return True
