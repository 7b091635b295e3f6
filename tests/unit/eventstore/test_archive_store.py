"""Objects by name: whole, replaced at once, and away when their place is."""

from pathlib import Path

import pytest
from eventstore.archive.errors import ArchiveRivalled, ArchiveUnavailable
from eventstore.archive.object_store import ArchiveStore


@pytest.fixture
def store(tmp_path: Path) -> ArchiveStore:
    return ArchiveStore((tmp_path / "made when used" / "archive").as_uri())


async def test_an_object_is_there_as_it_was_written_last(store: ArchiveStore) -> None:
    await store.put("log/1/one", b"first")
    await store.put("log/1/one", b"second")

    assert await store.get("log/1/one") == b"second"


async def test_an_object_that_is_there_is_not_created_again(store: ArchiveStore) -> None:
    await store.create("log/1/one", b"first")
    with pytest.raises(ArchiveRivalled):
        await store.create("log/1/one", b"second")

    assert await store.get("log/1/one") == b"first"


async def test_what_is_not_there_is_none_and_is_removed_without_a_word(
    store: ArchiveStore,
) -> None:
    await store.put("log/1/one", b"")
    await store.remove("log/1/one")
    await store.remove("log/1/one")

    assert await store.get("log/1/one") is None


async def test_objects_and_folders_are_listed_in_order_of_name(store: ArchiveStore) -> None:
    for name in ("log/2/b", "log/10/a", "log/2/a", "logs/3/a"):
        await store.put(name, b"")

    assert await store.names("log/2") == ["log/2/a", "log/2/b"]
    assert await store.folders("log") == ["log/10", "log/2"]
    assert await store.folders("nothing") == []
    assert await store.names("nothing") == []


async def test_a_folder_that_can_not_be_is_away(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    store = ArchiveStore((tmp_path / "file" / "archive").as_uri())

    with pytest.raises(ArchiveUnavailable):
        await store.put("log/1/one", b"")
    with pytest.raises(ArchiveUnavailable):
        await store.folders("log")


async def test_no_object_storage_is_reached_by_an_unknown_url() -> None:
    with pytest.raises(ArchiveUnavailable):
        await ArchiveStore("gopher://archive").get("log/1/one")
