"""Events and streams to test a log with."""

import time
from uuid import UUID, uuid4

from eventstore.event import NewEvent
from eventstore.ids import event_id
from eventstore.stream_id import StreamId

DIGEST = bytes(32)
OTHER_DIGEST = bytes([1]) * 32


def new_stream(tenant: str = "demo", category: str = "conversations") -> StreamId:
    return StreamId(tenant, f"{category}/{new_id()}")


def new_id() -> UUID:
    """Make an id as the platform's are: its time first, the rest at random."""
    return event_id(uuid4().bytes, 0, time.time_ns() // 1_000_000)


def new_event(
    kind: str = "careline.example.v1.Happened",
    data: bytes = b"data",
    digest: bytes = DIGEST,
    event_id: UUID | None = None,
) -> NewEvent:
    return NewEvent(event_id or new_id(), kind, data, b"metadata", digest)


def new_events(count: int, kind: str = "careline.example.v1.Happened") -> tuple[NewEvent, ...]:
    return tuple(new_event(kind) for _ in range(count))
