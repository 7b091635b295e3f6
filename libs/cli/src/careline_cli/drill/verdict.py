"""Holds what was acknowledged against what is there after the recovery."""

from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from eventstore.durability import Durability

from careline_cli.drill.journals import Acknowledged, Journals, rate_before

_ALWAYS: Final = float("inf")


@dataclass(frozen=True, slots=True)
class Promise:
    """What must be there after a disaster.

    `relayed` says, by log, up to which position LOCAL writes must be there: what the relay had
    passed. A log that is not named lost nothing of its own and must have all of them. Only writes
    acknowledged up to the wall clock's `until` count. Of the streams `erased` nothing may open.
    """

    relayed: Mapping[str, int] = field(default_factory=dict)
    until: float = _ALWAYS
    erased: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Found:
    """An event of the load as it is in its log; `content` is None where it does not open."""

    event_id: str
    log: str
    position: int
    stream: str
    revision: int
    content: str | None


@dataclass(frozen=True, slots=True)
class Afterwards:
    """What is there: the load's events in order of position, and the faults of whole logs:
    `breaches` of a stream's order, events that were there before the load and are no more or
    others (`preloaded_intact`), and streams of JetStream that differ from their logs.
    """

    found: Sequence[Found]
    breaches: int = 0
    preloaded_intact: bool = True
    streams_differ: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Kill:
    """When it happened, by both clocks, and how many appends a second were to be in flight."""

    at: float
    time: float
    asked_rate: float


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a drill came to; `reasons` are empty when it passed. Ages and RPO are in seconds before
    the kill, or before the point in time that was asked for.
    """

    acknowledged: Mapping[str, int]
    lost: Mapping[str, int]
    given_up: int
    newest_lost_age_seconds: float | None
    rpo_seconds: float
    doubled: int
    reordered: int
    altered: int
    unreadable: int
    readable_after_erasure: int
    tried_after_erasure: int
    rate: float
    reasons: tuple[str, ...]

    @property
    def passed(self) -> bool:
        return not self.reasons


def judge(journals: Journals, kill: Kill, promise: Promise, afterwards: Afterwards) -> Verdict:
    """Compare; writes that were asked for and never answered may be there once or not at all."""
    found = {one.event_id: one for one in afterwards.found}
    due = [one for one in journals.acknowledged if one.time <= promise.until]
    lost = [one for one in due if one.event_id not in found]
    there = [(one, found[one.event_id]) for one in journals.acknowledged if one.event_id in found]
    ages = [min(kill.time, promise.until) - one.time for one in lost]
    rate = rate_before(journals.acknowledged, kill.at)
    doubled = _doubled(afterwards.found)
    reordered = afterwards.breaches + sum(not _in_place(one, other) for one, other in there)
    tried = sum(one.stream in promise.erased for one in afterwards.found)
    altered, unreadable, readable = _contents(journals.asked, afterwards.found, promise.erased)
    reasons = [
        *_load_reasons(rate, kill),
        *_loss_reasons(lost, promise),
        *_counted("doubled", doubled),
        *_counted("out of order or elsewhere", reordered),
        *_counted("of other content", altered),
        *_counted("unreadable though nobody erased them", unreadable),
        *_counted("of an erased patient readable", readable),
    ]
    if promise.erased and not tried:
        reasons.append("no event of the erased patient is there to be tried")
    if not afterwards.preloaded_intact:
        reasons.append("events from before the load are missing or others")
    reasons += [f"the stream of {one} differs from its log" for one in afterwards.streams_differ]
    return Verdict(
        acknowledged=_by_durability(journals.acknowledged),
        lost=_by_durability(lost),
        given_up=len(journals.acknowledged) - len(due),
        newest_lost_age_seconds=max(min(ages), 0.0) if ages else None,
        rpo_seconds=max(*ages, 0.0) if ages else 0.0,
        doubled=doubled,
        reordered=reordered,
        altered=altered,
        unreadable=unreadable,
        readable_after_erasure=readable,
        tried_after_erasure=tried,
        rate=rate,
        reasons=tuple(reasons),
    )


def _load_reasons(rate: float, kill: Kill) -> Iterable[str]:
    if rate < kill.asked_rate:
        yield f"{rate:.0f} appends/s were in flight, not {kill.asked_rate:g}"


def _loss_reasons(lost: Sequence[Acknowledged], promise: Promise) -> Iterable[str]:
    replicated = sum(one.durability is Durability.REPLICATED for one in lost)
    if replicated:
        yield f"{replicated} REPLICATED writes are lost"
    local = [one for one in lost if one.durability is Durability.LOCAL]
    if promise.until != _ALWAYS:
        if local:
            yield f"{len(local)} LOCAL writes from before the asked point in time are missing"
        return
    passed = sum(one.position <= promise.relayed.get(one.log, _ALWAYS) for one in local)
    if passed:
        yield f"{passed} LOCAL writes are lost that were safe elsewhere at the kill"


def _counted(what: str, count: int) -> Iterable[str]:
    if count:
        yield f"{count} events are {what}"


def _in_place(acknowledged: Acknowledged, found: Found) -> bool:
    told = (acknowledged.log, acknowledged.stream, acknowledged.revision, acknowledged.position)
    return told == (found.log, found.stream, found.revision, found.position)


def _doubled(found: Sequence[Found]) -> int:
    """Count what is there again: an id, a place, or a content, each of which is given once."""
    ids = Counter(one.event_id for one in found)
    places = Counter((one.log, one.stream, one.revision) for one in found)
    contents = Counter(one.content for one in found if one.content is not None)
    return max(sum(count - 1 for count in each.values()) for each in (ids, places, contents))


def _contents(
    asked: Mapping[str, str], found: Sequence[Found], erased: Collection[str]
) -> tuple[int, int, int]:
    """Count what has other content, what does not open, and what opens though it was erased."""
    living = [one for one in found if one.stream not in erased]
    opened = [one for one in living if one.content is not None]
    altered = sum(one.content != asked[one.event_id] for one in opened)
    readable = sum(one.content is not None for one in found if one.stream in erased)
    return altered, len(living) - len(opened), readable


def _by_durability(writes: Iterable[Acknowledged]) -> dict[str, int]:
    counts = Counter(one.durability for one in writes)
    return {durability.name: counts[durability] for durability in Durability}
