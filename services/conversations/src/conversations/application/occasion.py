"""When a request is decided, and the names of what it makes."""

from dataclasses import dataclass
from typing import Final, Literal
from uuid import UUID

from eventstore.execute import MAX_EVENTS, Request
from google.protobuf.timestamp_pb2 import Timestamp

Collection = Literal["conversations", "messages", "deliveries", "legs"]
_ORDINALS: Final[dict[Collection, int]] = {
    "conversations": MAX_EVENTS,
    "messages": MAX_EVENTS + 1,
    "deliveries": MAX_EVENTS + 2,
    "legs": MAX_EVENTS + 3,
}
"""Beyond those of events, so that no resource has an event's id."""
_VERSION: Final = 0xF << 76
_VERSION_7: Final = 0x7 << 76


@dataclass(frozen=True, slots=True)
class Occasion:
    """One request while it is decided; `at` is the application's clock."""

    at: Timestamp
    request: Request

    def name(self, collection: Collection) -> str:
        """Name what the request makes; the same request sent again names the same.

        The id is a UUIDv7 by the time in the request's id, so that streams made together lie
        together in the log's index.
        """
        derived = self.request.ids(_ORDINALS[collection]).int
        return f"{collection}/{UUID(int=derived & ~_VERSION | _VERSION_7)}"
