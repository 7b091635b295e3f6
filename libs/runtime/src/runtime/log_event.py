"""Recorded events as LogService sends them, and back."""

from datetime import UTC
from uuid import UUID

from careline.log.v1 import recorded_event_pb2 as pb
from eventstore.event import RecordedEvent
from eventstore.stream_id import StreamId
from google.protobuf.timestamp_pb2 import Timestamp


def to_proto(event: RecordedEvent) -> pb.RecordedEvent:
    """Copy an event; its sealed parts stay sealed, its request's digest stays with the log."""
    time = Timestamp()
    time.FromDatetime(event.recorded_at)
    return pb.RecordedEvent(
        position=event.position,
        previous_position=event.previous_position,
        tenant=event.stream.tenant,
        stream=event.stream.name,
        revision=event.revision,
        event_id=str(event.id),
        type=event.type,
        data=event.data,
        metadata=event.metadata,
        record_time=time,
    )


def from_proto(event: pb.RecordedEvent) -> RecordedEvent:
    """Raise ValueError when a field is malformed."""
    return RecordedEvent(
        position=event.position,
        previous_position=event.previous_position,
        stream=StreamId(event.tenant, event.stream),
        revision=event.revision,
        id=UUID(event.event_id),
        type=event.type,
        data=event.data,
        metadata=event.metadata,
        recorded_at=event.record_time.ToDatetime(UTC),
    )
