import sys
from pathlib import Path

import pytest
from eventstore.code_version import code_version


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "versioned"
    folder.mkdir()
    (folder / "__init__.py").write_text("")
    (folder / "state.py").write_text("beds = 1\n")
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.delitem(sys.modules, "versioned", raising=False)
    code_version.cache_clear()
    return folder


def version() -> str:
    code_version.cache_clear()
    return code_version("versioned")


def test_a_version_is_the_same_as_long_as_the_sources_are(package: Path) -> None:
    before = version()
    (package / "notes.txt").write_text("no source")

    assert version() == before


def test_any_change_of_any_module_is_another_version(package: Path) -> None:
    seen = {version()}
    (package / "state.py").write_text("beds = 2\n")
    seen.add(version())
    (package / "more.py").write_text("")
    seen.add(version())
    (package / "more.py").rename(package / "less.py")
    seen.add(version())

    assert len(seen) == 4


def test_a_package_without_sources_has_no_version(package: Path) -> None:
    for source in package.glob("*.py"):
        source.unlink()

    with pytest.raises(ValueError, match="no sources"):
        version()
