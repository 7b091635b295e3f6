"""Makes an entry of an event that some service recorded."""

from careline.audit.events.v1.events_pb2 import ActionRecorded, DisclosureRecorded, Source
from careline.log.events.v1.events_pb2 import Disclosed
from careline.log.v1.recorded_event_pb2 import EventMetadata
from google.protobuf.timestamp_pb2 import Timestamp
from messaging.received_event import ReceivedEvent

from audit.domain.trail import Entry

DISCLOSED = Disclosed.DESCRIPTOR.full_name


def entry_of(event: ReceivedEvent) -> Entry:
    """Say who did what; of a disclosure, whose data went to whom and why.

    Raises DecodeError for bytes that are no event.
    """
    metadata = EventMetadata.FromString(event.metadata)
    if event.type == DISCLOSED:
        return _disclosure(event, metadata, Disclosed.FromString(event.data))
    return ActionRecorded(
        source=_source(event),
        actor=metadata.actor,
        action=metadata.action,
        purpose_of_use=metadata.purpose_of_use,
    )


def _disclosure(
    event: ReceivedEvent, metadata: EventMetadata, disclosed: Disclosed
) -> DisclosureRecorded:
    return DisclosureRecorded(
        source=_source(event),
        patient=disclosed.patient,
        recipient=disclosed.recipient,
        action=metadata.action,
        purpose_of_use=disclosed.purpose_of_use,
        resource_types=disclosed.resource_types,
        conversation=disclosed.conversation,
        caller_level=disclosed.caller_level,
        disclose_time=disclosed.disclose_time,
    )


def _source(event: ReceivedEvent) -> Source:
    recorded = Timestamp()
    recorded.FromDatetime(event.recorded_at)
    return Source(
        service=event.source,
        epoch=event.epoch,
        position=event.position,
        event_id=str(event.id),
        type=event.type,
        stream=event.stream.name,
        record_time=recorded,
        trace_id=trace_id_of(event.traceparent),
    )


def trace_id_of(traceparent: str) -> str:
    """Give the trace id of a W3C traceparent, 32 hexadecimal digits, or nothing."""
    parts = traceparent.split("-")
    return parts[1] if len(parts) == 4 and len(parts[1]) == 32 else ""  # noqa: PLR2004 - W3C's form
