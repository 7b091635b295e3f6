"""What drills found is kept with machine and commit, in a checkout alone."""

import json
import sys
from pathlib import Path

import pytest
from careline_cli.command_error import CommandError
from careline_cli.drill.results import Results

from benchmarks import results


def test_a_run_is_kept_with_what_it_ran_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    keep = results.keep
    monkeypatch.setattr(results, "keep", lambda name, content: keep(name, content, tmp_path))

    kept = Results().keep([{"name": "database-lost", "passed": True}])

    assert kept.name.startswith("drill-")
    content = json.loads(kept.read_text(encoding="utf-8"))
    assert list(content) == ["bench", "machine", "commit", "drills"]
    assert content["drills"] == [{"name": "database-lost", "passed": True}]


def test_without_a_checkout_it_says_so_before_any_drill(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "benchmarks", None)

    with pytest.raises(CommandError, match="make setup"):
        Results()
