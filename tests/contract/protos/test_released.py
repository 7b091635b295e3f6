"""What is released of the protos may grow, and nothing of it may go."""

import shutil
import subprocess
import sysconfig
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[3]
RELEASED = ROOT / "protos" / "released.binpb"
QUEUE = Path("protos/careline/routing/v1/queue_service.proto")


@pytest.fixture
def workspace(tmp_path: Path) -> Path:
    shutil.copytree(ROOT / "protos", tmp_path / "protos")
    shutil.copy(ROOT / "buf.yaml", tmp_path)
    return tmp_path


def complaints(workspace: Path) -> str:
    """Give what buf has against the protos of a workspace, empty when they only grew."""
    buf = Path(sysconfig.get_path("scripts")) / "buf"
    done = subprocess.run(
        (buf, "breaking", "--against", RELEASED),
        cwd=workspace,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert (done.returncode == 0) == (not done.stdout), done.stderr
    return done.stdout


def edit(workspace: Path, old: str, new: str) -> None:
    file = workspace / QUEUE
    text = file.read_text()
    assert old in text
    file.write_text(text.replace(old, new))


def test_the_protos_of_now_break_nothing_that_is_released(workspace: Path) -> None:
    assert complaints(workspace) == ""


def test_a_field_that_goes_is_a_break(workspace: Path) -> None:
    edit(workspace, "  string display_name = 2;\n", "")

    assert 'field "2" with name "display_name" on message "Queue"' in complaints(workspace)


def test_a_field_that_is_added_is_none(workspace: Path) -> None:
    edit(
        workspace,
        "  string display_name = 2;\n",
        "  string display_name = 2;\n  string more = 99;\n",
    )

    assert complaints(workspace) == ""
