"""A small aggregate to execute commands on: a ward that opens, admits and closes."""

import json
import os
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from typing import TypeAlias
from uuid import UUID, uuid4

from eventstore.decider import Decider, Rejected
from eventstore.event import NewEvent, RecordedEvent
from eventstore.execute import Request
from eventstore.ids import event_id
from eventstore.stream_id import StreamId


@dataclass(frozen=True)
class WardOpened:
    beds: int


@dataclass(frozen=True)
class PatientAdmitted:
    bed: int


@dataclass(frozen=True)
class WardClosed:
    pass


Event: TypeAlias = WardOpened | PatientAdmitted | WardClosed


@dataclass(frozen=True)
class Ward:
    is_open: bool = False
    beds: int = 0
    taken: int = 0


def evolve(ward: Ward, event: Event) -> Ward:
    match event:
        case WardOpened(beds):
            return Ward(is_open=True, beds=beds)
        case PatientAdmitted():
            return replace(ward, taken=ward.taken + 1)
        case WardClosed():
            return replace(ward, is_open=False)


WARD = Decider[Ward, Event](Ward(), evolve)


def open_ward(ward: Ward) -> list[Event]:
    return [] if ward.is_open else [WardOpened(beds=30)]


def admit(ward: Ward) -> list[Event]:
    if not ward.is_open:
        raise Rejected("WARD_CLOSED")
    return [PatientAdmitted(ward.taken)]


def fill(ward: Ward) -> list[Event]:
    """One event for each bed that is left, up to three: how many depends on the state."""
    return [PatientAdmitted(bed) for bed in range(ward.taken, min(ward.beds, ward.taken + 3))]


def close(ward: Ward) -> list[Event]:
    return [WardClosed()] if ward.is_open else []


class WardCodec:
    """JSON behind a random nonce, as sealing has one: no two encodings are the same bytes."""

    async def encode(
        self,
        _stream: StreamId,
        _subject: str,
        ids: Sequence[UUID],
        events: Sequence[Event],
        metadata: bytes,
        digest: bytes,
        /,
    ) -> tuple[NewEvent, ...]:
        return tuple(
            NewEvent(
                each,
                type(event).__name__,
                os.urandom(8) + json.dumps(asdict(event)).encode(),
                metadata,
                digest,
            )
            for each, event in zip(ids, events, strict=True)
        )

    def decode(self, recorded: RecordedEvent, /) -> Event:
        kinds: dict[str, type[Event]] = {
            kind.__name__: kind for kind in (WardOpened, PatientAdmitted, WardClosed)
        }
        return kinds[recorded.type](**json.loads(recorded.data[8:]))


def new_request(key: bytes | None = None, digest: bytes = bytes(32)) -> Request:
    """One request; given the same key, the same once more."""
    known_by = key or uuid4().bytes
    return Request(lambda ordinal: event_id(known_by, ordinal, None), digest, b"metadata")
