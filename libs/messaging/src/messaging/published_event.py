"""An event of a log as its own relay published it: all that the log's row had."""

import base64
from collections.abc import Mapping

from eventstore.event import NewEvent, RecordedEvent

from messaging.headers import DIGEST, OMITTED, MessageMalformed, received_event
from messaging.received_event import ReceivedEvent
from messaging.stored_messages import StoredMessage

_LARGEST = (1 << 62) - 1


class Omitted(Exception):
    """The event was too large for a message: its bytes were in the lost log only."""


def published_place(message: StoredMessage) -> ReceivedEvent:
    """Read a message of a stream, with numbers that a log can hold. Raises MessageMalformed."""
    event = received_event(message.subject, message.headers, message.data)
    if max(event.epoch, event.position, event.previous_position, event.revision) > _LARGEST:
        raise MessageMalformed("careline-position")
    return event


def published_event(event: ReceivedEvent, headers: Mapping[str, str]) -> RecordedEvent:
    """Make the row of it; raises Omitted, and MessageMalformed for what no append makes."""
    if OMITTED in headers:
        raise Omitted
    try:
        digest = base64.b64decode(headers.get(DIGEST, ""), validate=True)
        NewEvent(event.id, event.type, event.data, event.metadata, digest)
    except ValueError as error:
        raise MessageMalformed(DIGEST) from error
    return RecordedEvent(
        position=event.position,
        previous_position=event.previous_position,
        stream=event.stream,
        revision=event.revision,
        id=event.id,
        type=event.type,
        data=event.data,
        metadata=event.metadata,
        recorded_at=event.recorded_at,
        digest=digest,
    )
