"""What a process of the oracle asked, was told and saw, in files that outlive its SIGKILL."""

import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any


class Journal:
    """Lines of JSON, each handed to the kernel at once."""

    def __init__(self, folder: Path, name: str) -> None:
        path = folder / f"{name}-{os.getpid()}.jsonl"
        self._file = path.open("a", buffering=1, encoding="utf-8")

    def write(self, *line: object) -> None:
        self._file.write(json.dumps(line) + "\n")

    def close(self) -> None:
        self._file.close()


def read_journals(folder: Path, name: str) -> Iterator[list[list[Any]]]:
    """Give the lines of each process of that name, without a last one cut off by a kill."""
    for path in sorted(folder.glob(f"{name}-*.jsonl")):
        text = path.read_text(encoding="utf-8")
        whole = text[: text.rfind("\n") + 1]
        yield [json.loads(line) for line in whole.splitlines()]
