import json
import socket
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from embedded import EmbeddedServerError, OpenBaoServer, PortInUse, ServerProcess
from embedded.local_ports import HOST, RANGE, LocalPorts, is_free


@contextmanager
def listener(address: str, port: int = 0) -> Iterator[int]:
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as listening:
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listening.bind((address, port))
        listening.listen(1)
        yield int(listening.getsockname()[1])


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "ports.json"


def settled(file: Path, asked: int | None = None) -> LocalPorts:
    ports = LocalPorts("nats", file, {"client": asked, "monitor": None})
    ports.settle()
    return ports


def test_they_are_free_differ_and_lie_below_those_of_outgoing_connections(file: Path) -> None:
    ports = settled(file)
    assert ports["client"] != ports["monitor"]
    assert {ports["client"], ports["monitor"]} <= set(RANGE)
    assert is_free(ports["client"])
    assert stat.S_IMODE(file.stat().st_mode) == 0o600


def test_a_later_run_has_the_same(file: Path) -> None:
    assert settled(file)["client"] == settled(file)["client"]
    assert LocalPorts("nats", file, {"client": None})["client"] == settled(file)["client"]


def test_a_later_run_takes_another_where_one_is_taken_by_then(file: Path) -> None:
    first = settled(file)
    with listener(HOST, first["client"]):
        second = settled(file)
    assert second["client"] != first["client"]
    assert second["monitor"] == first["monitor"]


def test_a_port_that_another_process_has_claimed_is_not_taken_though_nobody_listens_yet(
    file: Path,
) -> None:
    port = next(port for port in RANGE if is_free(port))
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as claim:
        claim.bind(f"\0careline-port-{port}")
        file.write_text(json.dumps({"client": port}))
        taken = settled(file)["client"]
    file.write_text(json.dumps({"client": port}))

    assert taken != port
    assert settled(file)["client"] == port


def test_ports_of_two_servers_that_have_not_started_yet_differ(tmp_path: Path) -> None:
    chosen = [settled(tmp_path / f"{number}.json") for number in range(200)]

    ports = [one[use] for one in chosen for use in ("client", "monitor")]
    assert len(set(ports)) == 400


def test_one_that_clients_know_is_not_changed_by_a_restart_but_said_to_be_taken(file: Path) -> None:
    ports = settled(file)
    with (
        listener(HOST, ports["monitor"]) as taken,
        pytest.raises(PortInUse, match=f"nats: port {taken} on 127.0.0.1 is in use; stop what"),
    ):
        ports.settle()
    ports.settle()


def test_one_that_was_asked_for_is_given(file: Path) -> None:
    with listener(HOST) as free_afterwards:
        pass
    assert settled(file, free_afterwards)["client"] == free_afterwards


@pytest.mark.parametrize("address", [HOST, "0.0.0.0"])  # noqa: S104 - somebody else's server
def test_one_that_was_asked_for_and_is_taken_is_refused(file: Path, address: str) -> None:
    with listener(address) as taken, pytest.raises(PortInUse):
        settled(file, taken)


def test_before_the_first_run_there_are_none(file: Path) -> None:
    with pytest.raises(EmbeddedServerError, match="no port chosen yet; start it first"):
        _ = LocalPorts("nats", file, {"client": None})["client"]


async def test_a_server_whose_port_is_taken_does_not_start(tmp_path: Path) -> None:
    with listener(HOST) as taken, pytest.raises(PortInUse, match=f"openbao: port {taken} "):
        await ServerProcess.start(OpenBaoServer(tmp_path, port=taken))
