"""A conversation is linked to one patient, at a level that never falls."""

import pytest
from careline.conversations.events.v1.events_pb2 import PatientLinked
from conversations.domain import patient
from conversations.domain.conversation import Conversation
from conversations.domain.patient import CallerLevel
from unit.conversations.given import (
    AT,
    OTHER_PATIENT,
    PATIENT,
    Command,
    after,
    closed,
    full,
    refusal,
    started,
    with_agent,
    wrapped_up,
)


def linked(to: str = PATIENT, level: CallerLevel = CallerLevel.VERIFIED) -> Command:
    return lambda state: patient.link(state, patient=to, level=level, at=AT)


def test_it_is_linked_under_the_level_that_was_asserted() -> None:
    (event,) = linked(level=CallerLevel.MATCHED)(after(started()))

    assert isinstance(event, PatientLinked)
    assert (event.patient, event.caller_level) == (PATIENT, "MATCHED")


@pytest.mark.parametrize("level", list(CallerLevel))
def test_another_patient_is_refused_at_any_level(level: CallerLevel) -> None:
    state = after(started(), linked(level=CallerLevel.MATCHED))

    assert refusal(linked(OTHER_PATIENT, level), state).reason == "PATIENT_LINKED"


def test_the_level_rises_and_does_not_fall() -> None:
    state = after(started(), linked(level=CallerLevel.MATCHED), linked(level=CallerLevel.HIGH))

    assert state.caller_level == "HIGH"
    assert linked(level=CallerLevel.VERIFIED)(state) == []
    assert linked(level=CallerLevel.HIGH)(state) == []


def test_a_conversation_that_is_over_is_not_linked() -> None:
    assert refusal(linked(), after(started(), closed())).metadata == {"state": "closed"}
    wrapped = after(wrapped_up(), state=with_agent())
    assert refusal(linked(), wrapped).metadata == {"state": "wrapped_up"}
    assert refusal(linked(), Conversation()).metadata == {"state": "new"}
    assert refusal(linked(), full(with_agent())).metadata == {"state": "full"}


def test_another_patient_is_told_so_before_the_state() -> None:
    state = after(started(), linked())

    assert refusal(linked(OTHER_PATIENT), full(state)).reason == "PATIENT_LINKED"
