"""Whose matter a conversation is, once a caller's assertion says so."""

from enum import IntEnum

from careline.conversations.events.v1.events_pb2 import PatientLinked
from eventstore.decider import Rejected
from google.protobuf.timestamp_pb2 import Timestamp

from conversations.domain.conversation import Conversation, Event, Status
from conversations.domain.limits import require_open


class CallerLevel(IntEnum):
    """How sure we are of who calls; below MATCHED no patient is known."""

    MATCHED = 1
    VERIFIED = 2
    HIGH = 3


def link(state: Conversation, *, patient: str, level: CallerLevel, at: Timestamp) -> list[Event]:
    """Link to the patient, or raise the level under which he is linked; it never falls."""
    if state.status is Status.CLOSED:
        raise Rejected("CONVERSATION_STATE", state=state.status)
    if state.patient not in ("", patient):
        raise Rejected("PATIENT_LINKED")
    if state.patient and level <= CallerLevel[state.caller_level]:
        return []
    require_open(state, 1)
    return [PatientLinked(patient=patient, caller_level=level.name, link_time=at)]
