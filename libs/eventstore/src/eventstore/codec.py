"""How events become bytes and back: made by the service, used by the executor."""

from collections.abc import Sequence
from typing import Any, Protocol, TypeAlias
from uuid import UUID

from eventstore.event import NewEvent, RecordedEvent
from eventstore.stream_id import StreamId

# Event classes belong to the services; a store knows none of them.
Message: TypeAlias = Any


class Codec(Protocol):
    """Seals and serialises events, and reads the clear part of recorded ones."""

    async def encode(
        self,
        stream: StreamId,
        subject: str,
        ids: Sequence[UUID],
        events: Sequence[Message],
        metadata: bytes,
        digest: bytes,
        /,
    ) -> tuple[NewEvent, ...]:
        """Make one new event of each event and id; `subject` names whose key seals them."""

    def decode(self, recorded: RecordedEvent, /) -> Message:
        """Give the event without its sealed parts: all that `evolve` reads."""
