"""What a comparison of log and stream found, for machines and for people."""

from collections.abc import Iterator

from messaging.ranges import Ranges
from messaging.stream_check import Foreign, Side, StreamCheck

SHOWN_RANGES = 5


def as_json(check: StreamCheck) -> dict[str, object]:
    """Give all of it; of ranges, the first thousand."""
    return {
        "service": check.stretch.service,
        "epoch": check.stretch.epoch,
        "log": _side(check.log),
        "stream": _side(check.stream) | {"exists": check.exists},
        "starts_after": check.stretch.after,
        "head": check.stretch.head,
        "missing": [list(one) for one in check.missing.ranges],
        "missing_events": check.missing.count,
        "expired": check.expired,
        "foreign": [
            {"why": kind.name, "messages": found.count, "sequences": list(map(list, found.ranges))}
            for kind, found in check.foreign.items()
        ],
        "duplicates": check.duplicates,
        "out_of_order": check.out_of_order,
        "ok": check.ok,
    }


def faults(check: StreamCheck) -> Iterator[str]:
    """Give a line for each fault, and at the end what to do."""
    if check.ok:
        return
    stream = f"the stream of {check.stretch.service}"
    if not check.exists:
        yield f"{stream} does not exist"
    if check.missing.count:
        yield f"{stream} lacks {check.missing.count} events, at positions {_shown(check.missing)}"
    for kind, found in check.foreign.items():
        yield f"{stream} holds {found.count} messages that are {kind}, at {_shown(found)}"
    if check.duplicates:
        yield f"{stream} holds {check.duplicates} events twice"
    if check.out_of_order:
        yield f"{stream} holds {check.out_of_order} events behind later ones"
    yield _remedy(check)


def _remedy(check: StreamCheck) -> str:
    command = f"careline streams rebuild --service {check.stretch.service}"
    if check.log_went_back:
        return f"the log went back: stop all processes of {check.stretch.service}, then {command}"
    if Foreign.MALFORMED in check.foreign or Foreign.OTHER_SOURCE in check.foreign:
        return f"see in NATS's log who published there, then {command}"
    return f"services may go on meanwhile: {command}"


def _side(side: Side) -> dict[str, object]:
    return {
        "events": side.events,
        "first_position": side.first_position,
        "last_position": side.last_position,
        "digest": side.digest,
    }


def _shown(ranges: Ranges) -> str:
    some = [
        str(first) if first == last else f"{first}-{last}"
        for first, last in ranges.ranges[:SHOWN_RANGES]
    ]
    rest = len(ranges.ranges) - len(some)
    return ", ".join(some) + (f" and {rest} more stretches" if rest else "")
