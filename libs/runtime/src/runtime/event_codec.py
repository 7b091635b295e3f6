"""Joins sealing, which knows messages, and eventstore, which knows bytes."""

from collections.abc import Collection, Sequence
from uuid import UUID

from eventstore.event import NewEvent, RecordedEvent
from eventstore.stream_id import StreamId
from google.protobuf.message import Message
from sealing.event_codec import EventCodec, StoredEvent
from sealing.sealer import Opened


class LogCodec:
    """Encodes and decodes the events of one log: an eventstore Codec over sealing's EventCodec."""

    def __init__(self, events: EventCodec) -> None:
        self._events = events

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
        """Seal under the key of `subject`; raises what sealing raises, as SubjectErased."""
        sealed = await self._events.seal_events(
            tenant=stream.tenant, stream=stream.name, subject=subject, ids=ids, events=events
        )
        return tuple(NewEvent(one.id, one.type, one.data, metadata, digest) for one in sealed)

    def decode(self, recorded: RecordedEvent, /) -> Message:
        """Give the event as today's message, with its sensitive fields still sealed."""
        return self._events.decode(recorded.type, recorded.data)

    async def open(self, events: Sequence[RecordedEvent]) -> list[Opened[Message]]:
        """Give a page of events in clear, in order; what was erased is named, not left empty."""
        return await self._events.open_events(
            [
                StoredEvent(
                    event.stream.tenant, event.stream.name, event.id, event.type, event.data
                )
                for event in events
            ]
        )

    def forgotten(self, types: Collection[str]) -> frozenset[str]:
        """Name the stored types that are read as one of `types`, and are not among them."""
        older = (self._events.older_than(name) for name in types)
        return frozenset[str]().union(*older) - frozenset(types)
