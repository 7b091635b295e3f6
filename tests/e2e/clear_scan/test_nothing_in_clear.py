"""What a person is called, where he lives and what was said lies nowhere in clear: neither in any
file nor in what any server decodes, whatever state the platform is in.
"""

import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from careline_cli.platform.data_directory import DataDirectory, DataDirectoryError
from e2e.clear_scan.carriers import CARRIERS, CUT, OTHERS, SAMPLES
from e2e.clear_scan.contact import Subject, play, settled, subject
from e2e.clear_scan.hits import Hits
from e2e.clear_scan.raw_files import raw_files
from e2e.clear_scan.search import Search
from e2e.clear_scan.servers import Servers, started
from e2e.conftest import UP_SECONDS, Careline
from e2e.killing import kill_platform

pytestmark = pytest.mark.timeout(600)

EVERYWHERE = {*CARRIERS, *CUT, *OTHERS, *SAMPLES}
MID_CONTACT = "playing a contact by voice"


@pytest.fixture(scope="module")
def patient(shared_data: Path, tmp_path_factory: pytest.TempPathFactory) -> Subject:
    return subject(shared_data / "synthea_r4_bundles", tmp_path_factory.mktemp("patient"))


@pytest.fixture(scope="module")
def search(patient: Subject) -> Search:
    return Search(patient.needles)


@pytest.fixture(scope="module")
def sealed(patient: Subject, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Careline]:
    """A platform of these tests' own, to be killed, with a contact played."""
    command = Careline(tmp_path_factory.mktemp("sealed") / "data")
    command.run("up", "--detach", seconds=UP_SECONDS)
    try:
        play(command, patient)
        yield command
    finally:
        if is_running(command):
            command.run("down")


@pytest.fixture
def data(sealed: Careline) -> DataDirectory:
    return DataDirectory.of(sealed.data_dir)


@pytest.fixture
def hits(search: Search) -> Hits:
    return Hits(search)


@pytest.fixture
def running(sealed: Careline) -> Careline:
    if not is_running(sealed):
        sealed.run("up", "--detach", seconds=UP_SECONDS)
    return sealed


def kill_amid_a_contact(careline: Careline, patient: Subject) -> None:
    with subprocess.Popen(
        careline.command("demo", "--patient", patient.full_name),
        stderr=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        text=True,
    ) as demo:
        try:
            assert demo.stderr is not None
            assert any(MID_CONTACT in line for line in demo.stderr)
            kill_platform(careline.addresses["supervisor_pid"])
        finally:
            demo.kill()  # it would go on trying


def is_running(careline: Careline) -> bool:
    try:
        DataDirectory.of(careline.data_dir).addresses()
    except DataDirectoryError:
        return False
    return True


async def test_nothing_is_in_clear_while_the_platform_runs(
    running: Careline, data: DataDirectory, hits: Hits
) -> None:
    servers = Servers.of(data)
    await settled(servers)

    hits.look_through(raw_files(running.data_dir))
    await hits.look_through_all(servers.decoded())

    assert hits.found == {}
    assert hits.searched.keys() >= EVERYWHERE


async def test_nothing_is_in_clear_after_everything_was_killed_amid_a_contact(
    running: Careline, data: DataDirectory, hits: Hits, patient: Subject
) -> None:
    kill_amid_a_contact(running, patient)

    hits.look_through(raw_files(running.data_dir))
    async with started(data) as servers:
        await hits.look_through_all(servers.decoded())

    assert hits.found == {}
    assert hits.searched.keys() >= EVERYWHERE


async def test_nothing_is_in_clear_when_the_platform_is_stopped(
    running: Careline, data: DataDirectory, hits: Hits
) -> None:
    running.run("down")

    hits.look_through(raw_files(running.data_dir))
    async with started(data) as servers:
        await hits.look_through_all(servers.decoded())

    assert hits.found == {}
    assert hits.searched.keys() >= EVERYWHERE
