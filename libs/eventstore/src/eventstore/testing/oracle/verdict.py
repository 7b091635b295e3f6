"""Holds what the processes asked, were told and saw against the log as it is."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import UUID

from eventstore.testing.oracle.journal import read_journals
from eventstore.testing.oracle.report import Followed
from eventstore.testing.oracle.request import content_of


@dataclass(frozen=True, slots=True)
class Recorded:
    """An event as it is in the table at the end."""

    position: int
    stream: str
    revision: int
    event_id: UUID
    data: bytes


def judge_log(log: Sequence[Recorded]) -> Counter[str]:
    """Count breaches of a stream's density and order, and of the bytes."""
    bad: Counter[str] = Counter()
    heads: dict[str, int] = {}
    for event in log:
        if event.revision != heads.get(event.stream, -1) + 1:
            bad["revision out of order or missing"] += 1
        heads[event.stream] = event.revision
        if event.data != content_of(event.event_id):
            bad["other bytes"] += 1
    return bad


def judge_follower(log: Sequence[Recorded], folder: Path, name: str) -> Followed:
    """Compare what a follower saw, positions before included, with the log."""
    chain = [0, *(event.position for event in log)]
    truth = {(event.position, str(event.event_id)): chain[n] for n, event in enumerate(log)}
    seen = [line for lines in read_journals(folder, name) for line in lines]
    met = {(position, event_id): previous for position, event_id, previous in seen}
    positions = [line[0] for line in seen]
    return Followed(
        seen=len(seen),
        missed=len(truth.keys() - met.keys()),
        extra=len(met.keys() - truth.keys()),
        misplaced=sum(truth[key] != met[key] for key in truth.keys() & met.keys()),
        in_order=positions == sorted(set(positions)),
    )


def judge_answers(log: Sequence[Recorded], folder: Path) -> tuple[Counter[str], Counter[str]]:
    """Hold each request's answers against the log; gives what was answered, and what is wrong."""
    by_id = {str(event.event_id): event for event in log}
    answers: Counter[str] = Counter()
    bad: Counter[str] = Counter()
    for lines in read_journals(folder, "writer"):
        told: dict[int, list[list[Any]]] = {}
        for kind, number, *rest in lines:
            if kind != "asked":
                told.setdefault(number, []).append([kind, *rest])
                answers[kind] += 1
        for kind, number, *rest in lines:
            if kind == "asked":
                parts = [Part.of(part, by_id) for part in rest[0]]
                answers["never answered"] += number not in told
                bad.update(judge_request(parts, told.get(number, [])))
    return +answers, +bad


@dataclass(frozen=True, slots=True)
class Part:
    """One write of a request, and its events as far as they are in the log."""

    stream: str
    expected: int
    count: int
    found: tuple[Recorded, ...]

    @classmethod
    def of(cls, line: Sequence[Any], by_id: Mapping[str, Recorded]) -> "Part":
        stream, expected, ids = line
        return cls(stream, expected, len(ids), tuple(by_id[i] for i in ids if i in by_id))

    @property
    def is_in_place(self) -> bool:
        """Whether its events follow each other on its stream, where it expected to be."""
        first = self.found[0].revision
        as_expected = {-1: first == 0, -2: True, -4: first > 0}.get(
            self.expected, first == self.expected + 1
        )
        return as_expected and all(
            (event.stream, event.revision) == (self.stream, first + ordinal)
            for ordinal, event in enumerate(self.found)
        )


def judge_request(parts: Sequence[Part], told: Sequence[Sequence[Any]]) -> Iterable[str]:
    landed = [answer[1:] for answer in told if answer[0] == "landed"]
    found = sum(len(part.found) for part in parts)
    if found and found < sum(part.count for part in parts):
        yield "landed in part"
    elif found and not all(part.is_in_place for part in parts):
        yield "landed out of place"
    elif landed and not found:
        yield "acknowledged but missing"
    elif landed and found:
        position = max(event.position for part in parts for event in part.found)
        place = [position, [part.found[-1].revision for part in parts]]
        if any(answer != place for answer in landed):
            yield "acknowledged elsewhere than it is"
    elif found and told and all(answer[0] != "unknown" for answer in told):
        yield "refused but there"
