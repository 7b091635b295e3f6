"""An event as another service receives it."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from eventstore.stream_id import StreamId


@dataclass(frozen=True, slots=True)
class ReceivedEvent:
    """An event of `source`'s log, with its place there: sealed bytes, exactly as appended.

    `epoch`, `position` and `previous_position` are the source's. `traceparent` and `tracestate`
    are the W3C trace context of what caused it, empty when there was none.
    """

    source: str
    epoch: int
    position: int
    previous_position: int
    stream: StreamId
    revision: int
    id: UUID
    type: str
    data: bytes
    metadata: bytes
    recorded_at: datetime
    traceparent: str
    tracestate: str
