"""Events as lines of a conversation's history."""

from typing import Any, Final, assert_never

from careline.conversations.events.v1.events_pb2 import (
    CallLegAnswered,
    CallLegEnded,
    CallLegStarted,
    ChannelJoined,
    ControlPassed,
    ConversationClosed,
    ConversationStarted,
    ConversationWrappedUp,
    DeliveryQueued,
    DeliveryReported,
    KeyPressRecorded,
    MessagePosted,
    PatientLinked,
    TranscriptAppended,
)
from careline.conversations.v1.conversation_pb2 import CHANNEL_VOICE, HistoryEntry
from careline.log.v1.recorded_event_pb2 import EventMetadata
from eventstore.event import RecordedEvent
from google.protobuf.message import Message
from google.protobuf.timestamp_pb2 import Timestamp
from sealing.sealer import Opened

from conversations.adapters.api_words import AUTHOR_OF, CHANNEL_OF
from conversations.domain.conversation import AuthorKind, Channel, Event

_SAID: Final = frozenset({"text", "keys", "notes"})
_TRACEPARENT_PARTS: Final = 4


def history_entry(recorded: RecordedEvent, opened: Opened[Message]) -> HistoryEntry:
    """Show an event of a conversation; what was erased is called so."""
    metadata = EventMetadata.FromString(recorded.metadata)
    entry = HistoryEntry(
        revision=recorded.revision,
        event=recorded.type.rpartition(".")[2],
        actor=metadata.actor.name,
        erased=not _SAID.isdisjoint(opened.erased),
        trace_id=_trace_id(metadata.traceparent),
    )
    event: Any = opened.message
    time = _describe(entry, event)
    if time is None:
        entry.time.FromDatetime(recorded.recorded_at)
    else:
        entry.time.CopyFrom(time)
    return entry


# One case an event, so that the type checker sees the one that is missing.
def _describe(entry: HistoryEntry, event: Event) -> Timestamp | None:  # noqa: C901, PLR0911, PLR0912
    """Fill in what the event says, and give its own time."""
    match event:
        case ConversationStarted():
            entry.channel, entry.subject = CHANNEL_OF[Channel(event.channel)], event.frontend
            return event.start_time
        case ChannelJoined():
            entry.channel, entry.subject = CHANNEL_OF[Channel(event.channel)], event.frontend
            return event.join_time
        case MessagePosted():
            entry.channel = CHANNEL_OF[Channel(event.channel)]
            entry.author_kind = AUTHOR_OF[AuthorKind(event.author_kind)]
            entry.subject, entry.text = event.message, event.text
            return event.post_time
        case DeliveryQueued():
            entry.channel, entry.subject = CHANNEL_OF[Channel(event.channel)], event.delivery
            return None
        case DeliveryReported():
            entry.subject = event.delivery
            entry.detail = event.failure_code or event.status
            return event.report_time
        case ControlPassed():
            entry.subject, entry.detail = event.holder, event.reason
            return event.pass_time
        case PatientLinked():
            entry.subject, entry.detail = event.patient, event.caller_level
            return event.link_time
        case CallLegStarted():
            entry.channel = CHANNEL_VOICE
            entry.subject, entry.detail = event.leg, event.direction
            return event.start_time
        case CallLegAnswered():
            entry.channel, entry.subject = CHANNEL_VOICE, event.leg
            return event.answer_time
        case KeyPressRecorded():
            entry.channel = CHANNEL_VOICE
            entry.subject, entry.text = event.leg, event.keys
            return event.press_time
        case TranscriptAppended():
            entry.channel = CHANNEL_VOICE
            entry.author_kind = AUTHOR_OF[AuthorKind(event.speaker_kind)]
            entry.subject, entry.text = event.message, event.text
            entry.start_offset.CopyFrom(event.start_offset)
            return event.append_time
        case CallLegEnded():
            entry.channel = CHANNEL_VOICE
            entry.subject, entry.detail = event.leg, event.reason
            return event.end_time
        case ConversationWrappedUp():
            entry.text, entry.detail = event.notes, event.disposition
            return event.wrap_up_time
        case ConversationClosed():
            entry.detail = event.reason
            return event.close_time
    assert_never(event)


def _trace_id(traceparent: str) -> str:
    parts = traceparent.split("-")
    return parts[1] if len(parts) == _TRACEPARENT_PARTS else ""
