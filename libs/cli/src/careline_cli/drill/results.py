"""Keeps what drills found beside the benches' figures, in a checkout."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path

from careline_cli.command_error import CommandError


class Results:
    """What a run is kept with: machine and commit as they are before its load."""

    def __init__(self) -> None:
        """Raise CommandError where there is no checkout."""
        try:
            # Part of a development checkout alone: a drill itself needs none of it.
            from benchmarks import machine, results  # noqa: PLC0415
        except ModuleNotFoundError:
            raise CommandError(
                "benchmarks is not installed: runs are kept in a checkout, set up by `make setup`"
            ) from None
        self._results = results
        self._on = {"machine": machine.machine(), "commit": machine.commit()}

    def keep(self, reports: Sequence[Mapping[str, object]]) -> Path:
        """Write a file named by the time (UTC), and return it."""
        content = {"bench": "drill", **self._on, "drills": reports}
        return self._results.keep("drill", json.dumps(content, ensure_ascii=False, indent=1) + "\n")
