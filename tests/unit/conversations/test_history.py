"""Every event is a line of the history."""

from datetime import UTC, datetime

import pytest
from careline.conversations.v1 import conversation_pb2 as pb
from careline.log.v1.recorded_event_pb2 import Actor, EventMetadata
from conversations.adapters.history import history_entry
from conversations.domain.conversation import Event
from eventstore.event import RecordedEvent
from eventstore.stream_id import StreamId
from runtime.new_id import new_id
from sealing.sealer import Opened
from unit.conversations.given import AGENT, PATIENT, TEXT, VOICE_FRONTEND, moment
from unit.conversations.test_evolve import a_whole_life

RECORDED_AT = datetime(2025, 3, 1, 9, 0, 1, tzinfo=UTC)
TRACE = "0af7651916cd43dd8448eb211c80319c"


def line_of(event: Event, *erased: str, traceparent: str = "") -> pb.HistoryEntry:
    metadata = EventMetadata(actor=Actor(name=AGENT), traceparent=traceparent)
    recorded = RecordedEvent(
        position=9,
        previous_position=8,
        stream=StreamId("demo", "conversations/0197dddd-0000-7000-8000-000000000001"),
        revision=3,
        id=new_id(),
        type=event.DESCRIPTOR.full_name,
        data=b"",
        metadata=metadata.SerializeToString(),
        recorded_at=RECORDED_AT,
    )
    return history_entry(recorded, Opened(event, erased))


LIFE = a_whole_life()


@pytest.mark.parametrize("event", LIFE, ids=lambda event: event.DESCRIPTOR.name)
def test_every_event_is_a_line_with_its_name_place_actor_and_time(event: Event) -> None:
    line = line_of(event, traceparent=f"00-{TRACE}-b7ad6b7169203331-01")

    assert (line.event, line.revision, line.actor) == (event.DESCRIPTOR.name, 3, AGENT)
    assert (line.trace_id, line.erased) == (TRACE, False)
    assert line.time.ToDatetime(UTC) in (moment().ToDatetime(UTC), RECORDED_AT)


def test_lines_say_what_their_events_say() -> None:
    said = {line.event: line for line in map(line_of, LIFE)}

    assert said["ConversationStarted"].subject == VOICE_FRONTEND
    assert said["PatientLinked"].subject == PATIENT
    assert said["PatientLinked"].detail == "VERIFIED"
    assert said["KeyPressRecorded"].text == "12#"
    assert said["ConversationWrappedUp"].text == TEXT
    assert said["TranscriptAppended"].start_offset.seconds == 3
    assert said["DeliveryReported"].detail == "SENT"
    assert said["ControlPassed"].detail == "OFFER_ACCEPTED"
    assert {said[name].channel for name in said if name.startswith(("Call", "Key"))} == {
        pb.CHANNEL_VOICE
    }


@pytest.mark.parametrize("path", ["text", "keys", "notes"])
def test_what_was_said_and_erased_is_called_so(path: str) -> None:
    assert line_of(LIFE[0], path).erased


def test_an_erased_address_is_nothing_that_was_said() -> None:
    assert not line_of(LIFE[0], "address").erased


def test_a_trace_that_is_none_is_left_out() -> None:
    assert line_of(LIFE[0], traceparent="garbage").trace_id == ""
