"""Stored bytes of one version of an event, as a line of JSON that is never changed again."""

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Final
from uuid import UUID

from sealing.event_codec import StoredEvent

FOLDER: Final = Path(__file__).parent / "bytes"
TENANT: Final = "demo"
STREAM: Final = "examples/1"


@dataclass(frozen=True, slots=True)
class StoredLine:
    """`data` is the stored bytes in hex, `sealed` what is sealed in them, `event` all in clear."""

    type: str
    version: str
    log: str
    event_id: str
    data: str
    sealed: tuple[str, ...]
    event: dict[str, object]

    @property
    def stored(self) -> StoredEvent:
        return StoredEvent(TENANT, STREAM, UUID(self.event_id), self.type, bytes.fromhex(self.data))

    def as_text(self) -> str:
        return json.dumps(asdict(self), ensure_ascii=False)


def read_lines(folder: Path = FOLDER) -> list[StoredLine]:
    return [
        _parsed(text)
        for file in sorted(folder.glob("*.jsonl"))
        for text in file.read_text(encoding="utf-8").splitlines()
    ]


def add_line(folder: Path, line: StoredLine) -> None:
    """Write a line below those that the log's file has."""
    with (folder / f"{line.log}.jsonl").open("a", encoding="utf-8") as file:
        file.write(f"{line.as_text()}\n")


def _parsed(text: str) -> StoredLine:
    values = json.loads(text)
    return StoredLine(**{**values, "sealed": tuple(values["sealed"])})
