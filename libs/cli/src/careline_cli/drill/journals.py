"""What the load's processes asked for and were told, in files that outlive whatever is killed."""

import json
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from eventstore.durability import Durability
from eventstore.testing.oracle.journal import Journal, read_journals

WRITER: Final = "writer"
WINDOW_SECONDS: Final = 1.0
_ACKNOWLEDGED: Final = b'["acknowledged", '


@dataclass(frozen=True, slots=True)
class Acknowledged:
    """A write that its writer was told is safe.

    `at` is the machine's monotonic clock and `time` its wall clock when the answer came, in
    seconds; `content` is the SHA-256 of the message in clear, in hex.
    """

    event_id: str
    log: str
    stream: str
    revision: int
    position: int
    durability: Durability
    at: float
    time: float
    content: str


@dataclass(slots=True)
class Journals:
    """All writers' journals: what was asked (content by event id), acknowledged, refused and which
    streams were linked to the patient who is to be erased.
    """

    asked: dict[str, str] = field(default_factory=dict)
    acknowledged: list[Acknowledged] = field(default_factory=list)
    refused: list[str] = field(default_factory=list)
    linked: set[str] = field(default_factory=set)


class WriterJournal:
    """One writer's lines, each handed to the kernel before the writer goes on."""

    def __init__(self, folder: Path) -> None:
        self._journal = Journal(folder, WRITER)

    def asks(self, event_id: str, content: str) -> None:
        self._journal.write("asked", event_id, content)

    def acknowledges(self, one: Acknowledged) -> None:
        self._journal.write(
            "acknowledged",
            one.event_id,
            one.log,
            one.stream,
            one.revision,
            one.position,
            one.durability.value,
            one.at,
            one.time,
            one.content,
        )

    def refuses(self, error: Exception) -> None:
        """Note the kind alone: texts may name subjects."""
        self._journal.write("refused", type(error).__name__)

    def links(self, stream: str) -> None:
        self._journal.write("linked", stream)

    def close(self) -> None:
        self._journal.close()


def read(folder: Path) -> Journals:
    journals = Journals()
    for kind, *rest in _lines(folder):
        match kind:
            case "asked":
                journals.asked[rest[0]] = rest[1]
            case "acknowledged":
                journals.acknowledged.append(_acknowledged(*rest))
            case "refused":
                journals.refused.append(rest[0])
            case "linked":
                journals.linked.add(rest[0])
            case _:
                raise ValueError("no line of a writer's journal")
    return journals


class AcknowledgementTail:
    """When writes were acknowledged, read on from where the look before ended."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._read: dict[Path, int] = {}
        self._moments: list[float] = []

    def rate(self) -> float:
        """Give the appends acknowledged a second, over the last second."""
        for path in self._folder.glob(f"{WRITER}-*.jsonl"):
            self._read_on(path)
        since = time.monotonic() - WINDOW_SECONDS
        self._moments = [one for one in self._moments if one > since]
        return len(self._moments) / WINDOW_SECONDS

    def _read_on(self, path: Path) -> None:
        with path.open("rb") as file:
            file.seek(self._read.get(path, 0))
            text = file.read()
        whole = text[: text.rfind(b"\n") + 1]
        self._read[path] = self._read.get(path, 0) + len(whole)
        lines = (json.loads(line) for line in whole.splitlines() if _ACKNOWLEDGED in line)
        self._moments += [_acknowledged(*rest).at for _kind, *rest in lines]


def rate_before(acknowledged: list[Acknowledged], moment: float) -> float:
    """Give the appends acknowledged a second, over the last second before a monotonic moment."""
    since = moment - WINDOW_SECONDS
    return sum(since < one.at <= moment for one in acknowledged) / WINDOW_SECONDS


def _lines(folder: Path) -> Iterator[list[Any]]:
    for lines in read_journals(folder, WRITER):
        yield from lines


def _acknowledged(*line: Any) -> Acknowledged:  # noqa: ANN401 - as JSON has it
    event_id, log, stream, revision, position, durability, at, time, content = line
    return Acknowledged(
        event_id, log, stream, revision, position, Durability(durability), at, time, content
    )
