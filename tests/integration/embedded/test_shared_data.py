"""Tests that read the data beside the repository are skipped where it is absent, but not in CI."""

import asyncio
import os
import shutil
import sys
from pathlib import Path

import conftest
import pytest


@pytest.mark.parametrize(("ci", "outcome"), [("true", "1 error"), ("", "1 skipped")])
async def test_without_the_data(ci: str, outcome: str, tmp_path: Path) -> None:
    (tmp_path / "repository" / "tests").mkdir(parents=True)
    shutil.copy(conftest.__file__, tmp_path / "repository" / "tests")
    test = tmp_path / "repository" / "tests" / "test_reader.py"
    test.write_text("def test_reader(shared_data): ...\n")
    process = await asyncio.create_subprocess_exec(
        *(
            sys.executable,
            "-m",
            "pytest",
            "-ra",
            "-p",
            "no:cacheprovider",
            "--rootdir",
            str(tmp_path),
            "-o",
            f"pythonpath={Path(conftest.__file__).parent}",
        ),
        str(test),
        env={"PATH": os.defpath, "CI": ci},
        stdout=asyncio.subprocess.PIPE,
    )
    async with asyncio.timeout(60):
        out, _ = await process.communicate()
    assert f"{outcome} in " in out.decode()
    assert "no ../shared/data beside the repository" in out.decode()
