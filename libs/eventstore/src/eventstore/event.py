"""An event before and after the log took it."""

import re
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from eventstore.stream_id import StreamId

_DIGEST_BYTES = 32
_TYPE = re.compile(r"[A-Za-z_]\w*(\.[A-Za-z_]\w*)*", re.ASCII)


@dataclass(frozen=True, slots=True)
class NewEvent:
    """An event to append.

    `data` is what is stored, hashed and published, byte for byte. `digest` is a keyed hash
    (32 bytes) of the request that caused it: a repeated request is known by event ids and
    digest, because its data may differ (sealing draws a new nonce each time).
    """

    id: UUID
    type: str
    data: bytes
    metadata: bytes
    digest: bytes

    def __post_init__(self) -> None:
        if _TYPE.fullmatch(self.type) is None:
            raise ValueError("an event's type is the full name of its message")
        if len(self.digest) != _DIGEST_BYTES:
            raise ValueError(f"a request's digest is {_DIGEST_BYTES} bytes")


class RecordedEvent(NamedTuple):
    """An event as the log holds it; a tuple, because reads make many of them.

    `previous_position` is the position of the event before it in the whole log, whatever the
    read was filtered by: 0 for the first, UNSETTLED when an append still in flight may yet land
    between the two (only reads of a stream and by id go that near to the end of the log).
    `digest` is the request's, empty where the event came from another service.
    """

    position: int
    previous_position: int
    stream: StreamId
    revision: int
    id: UUID
    type: str
    data: bytes
    metadata: bytes
    recorded_at: datetime
    digest: bytes = b""


UNSETTLED = -1
