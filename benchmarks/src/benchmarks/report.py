"""A bench's figures as a table, as JSON, and as the file that is kept."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from rich.table import Table

from benchmarks.figure import Figure
from benchmarks.results import RESULTS, keep

_FEW = 100


@dataclass(frozen=True, slots=True)
class Report:
    """`machine` and `commit` say what the figures were measured on; `notes` what else was seen."""

    bench: str
    machine: str
    commit: str
    figures: Sequence[Figure]
    notes: Sequence[str]

    def as_json(self) -> str:
        content = {
            "bench": self.bench,
            "machine": self.machine,
            "commit": self.commit,
            "figures": [figure.as_json() for figure in self.figures],
        }
        return json.dumps(content, ensure_ascii=False, indent=1) + "\n"

    def keep(self, folder: Path = RESULTS) -> Path:
        """Write the JSON to a file named by bench and time (UTC), and return it."""
        return keep(self.bench, self.as_json(), folder)

    def table(self) -> Table:
        table = Table(box=None, pad_edge=False)
        table.add_column("figure", no_wrap=True)
        for column in ("value", "lowest", "highest"):
            table.add_column(column, justify="right")
        table.add_column("unit")
        table.add_column("ratio", justify="right")
        for column in ("against", "target", "met"):
            table.add_column(column, no_wrap=True)
        for figure in self.figures:
            table.add_row(*_cells(figure))
        return table


def _cells(figure: Figure) -> tuple[str, ...]:
    low, high = figure.spread or (None, None)
    met = {None: "", True: "[green]yes[/green]", False: "[red]NO[/red]"}[figure.met]
    return (
        figure.name,
        *map(_number, (figure.value, low, high)),
        figure.unit,
        "" if figure.ratio is None else f"{figure.ratio:.2f}",
        figure.against or "",
        "" if figure.target is None else str(figure.target),
        met,
    )


def _number(value: float | None) -> str:
    if value is None:
        return ""
    return f"{value:,.0f}" if value >= _FEW else f"{value:.2f}"
