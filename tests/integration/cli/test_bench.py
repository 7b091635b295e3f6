"""`careline bench` runs: its figures are for whoever asks a quiet machine."""

import json
import subprocess
import sys
from pathlib import Path

SHAPE = ["name", "value", "unit", "against", "ratio", "target", "met"]
FAMILIES = (
    *("append, 32 writers: ours to raw fenced statement", "ceiling: COPY", "relay to JetStream"),
    *("append p50, 32 writers", "whole-log read", "projection rebuild", "commit to subscriber"),
    "sealing's share of an append",
)


def test_a_quick_run_prints_figures_of_every_family_and_leaves_nothing_behind(
    tmp_path: Path,
) -> None:
    done = subprocess.run(
        (sys.executable, "-m", "careline_cli", "bench", "store", "--quick", "--json"),
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=110,
        check=False,
    )

    assert done.returncode == 0, done.stderr[-2000:]
    report = json.loads(done.stdout)
    assert list(report) == ["bench", "machine", "commit", "figures"]
    assert report["bench"] == "store"
    assert "synchronous_commit on" in report["machine"]
    assert "fsync on" in report["machine"]
    figures = report["figures"]
    assert [figure for figure in figures if list(figure) != SHAPE] == []
    assert [figure["name"] for figure in figures if figure["value"] <= 0] == []
    names = [figure["name"] for figure in figures]
    assert len(set(names)) == len(names)
    assert [family for family in FAMILIES if not any(n.startswith(family) for n in names)] == []
    assert "events once and in order" in done.stderr
    assert list(tmp_path.iterdir()) == []


def test_without_the_peer_it_says_in_a_line_what_to_do() -> None:
    program = (
        "import sys\n"
        "sys.modules['eventsourcing'] = None\n"
        "sys.argv = ['careline', 'bench', 'store', '--quick']\n"
        "from careline_cli.__main__ import main\n"
        "main()\n"
    )
    done = subprocess.run(
        (sys.executable, "-c", program), capture_output=True, text=True, timeout=60, check=False
    )

    assert done.returncode == 1
    assert done.stderr == (
        "careline: eventsourcing is not installed: benches run from a checkout, set up by "
        "`make setup`\n"
    )
