"""The scan that finds nothing on a platform finds all there is on one that seals nothing."""

from collections.abc import AsyncIterator, Iterable
from pathlib import Path

import pytest
from careline_cli.platform.data_directory import DataDirectory
from careline_cli.provision.provisioned import PLATFORM_DATABASE
from e2e.clear_scan.carriers import CARRIERS, CUT, OTHERS, SAMPLES, TABLES
from e2e.clear_scan.contact import Subject, play, settled, subject
from e2e.clear_scan.hits import Hits
from e2e.clear_scan.needles import Category, Needle
from e2e.clear_scan.planted import PLANTED_IN, plant
from e2e.clear_scan.postgres_rows import checkpoint, table_files
from e2e.clear_scan.raw_files import raw_files
from e2e.clear_scan.search import Search
from e2e.clear_scan.servers import Servers
from e2e.conftest import UP_SECONDS, Careline
from e2e.unsealed_build.build import build_unsealed

pytestmark = pytest.mark.timeout(600)


@pytest.fixture(scope="module")
def patient(shared_data: Path, tmp_path_factory: pytest.TempPathFactory) -> Subject:
    return subject(shared_data / "synthea_r4_bundles", tmp_path_factory.mktemp("patient"))


@pytest.fixture(scope="module")
async def unsealed(
    patient: Subject, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Servers]:
    """A platform of the build that seals nothing, with a contact played."""
    folder = tmp_path_factory.mktemp("unsealed")
    command = Careline(folder / "data", str(build_unsealed(folder / "build")))
    command.run("up", "--detach", seconds=UP_SECONDS)
    try:
        play(command, patient)
        servers = Servers.of(DataDirectory.of(command.data_dir))
        await settled(servers)
        await checkpoint(servers.postgres)
        yield servers
    finally:
        command.run("down")


@pytest.fixture(scope="module")
async def hits(unsealed: Servers, patient: Subject) -> Hits:
    return await scanned(unsealed, patient.needles)


async def scanned(servers: Servers, needles: Iterable[Needle]) -> Hits:
    hits = Hits(Search(needles))
    hits.look_through(raw_files(servers.data.root))
    await hits.look_through_all(servers.decoded())
    return hits


def of(categories: Iterable[Category], needles: Iterable[Needle]) -> frozenset[Needle]:
    return frozenset(needle for needle in needles if needle.category in set(categories))


def test_each_needle_is_found_in_each_store_that_carries_it_and_in_no_other(
    hits: Hits, patient: Subject
) -> None:
    assert {one.category for one in patient.needles} == set(Category)
    carried = {store: of(held, patient.needles) for store, held in CARRIERS.items()}
    found = {store: held for store, held in hits.by_store.items() if store not in SAMPLES}
    in_pieces = [found.pop(store) for store in CUT]

    assert found == carried
    assert all(2 * len(held) > len(patient.needles) for held in in_pieces)
    assert hits.searched.keys() >= {*CARRIERS, *CUT, *OTHERS}


async def test_each_needle_is_found_in_the_very_file_of_each_table_that_carries_it(
    unsealed: Servers, hits: Hits, patient: Subject
) -> None:
    files = await table_files(unsealed.postgres, PLATFORM_DATABASE)

    for table, held in TABLES.items():
        place = f"postgres/cluster/{files[table]}"
        assert hits.found["files/postgres/base", place] >= of(held, patient.needles), table


async def test_a_needle_is_found_wherever_it_is_planted_however_it_is_packed(
    unsealed: Servers, hits: Hits, patient: Subject
) -> None:
    (street,) = of([Category.STREET], patient.needles)
    await plant(unsealed, street)

    found = (await scanned(unsealed, [street])).by_store

    assert found.keys() - hits.by_store.keys() >= PLANTED_IN
