"""What the load tells: conversations of a patient line, and patients who decide on their data."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from careline.conversations.events.v1 import events_pb2 as conversations_events
from careline.patient_context.events.v1 import events_pb2 as patient_events
from eventstore.durability import Durability
from google.protobuf.message import Message
from runtime.new_id import new_id

MESSAGES: Final = 40
CONSENTS: Final = 20
_SAID: Final = (
    "I have had a headache since this morning, and the tablets from last week do not help.",
    "Could I move the appointment with the cardiologist to some day after the twelfth?",
    "My insulin runs out on Friday. The pharmacy says that the prescription has expired.",
    "The letter says that my blood was taken twice. Which of the two results is the right one?",
    "I feel dizzy when I get up, mostly in the morning, and my left hand is a little numb.",
    "Is it safe to take the antibiotic together with what I was given after the operation?",
)


@dataclass(frozen=True, slots=True)
class Story:
    """A stream from its first event on; each event is one append of that durability."""

    stream: str
    durability: Durability
    events: Iterator[Message]


def conversation(name: str, messages: int = MESSAGES) -> Story:
    return Story(name, Durability.LOCAL, _conversation(messages))


def patient(name: str) -> Story:
    """Register a patient, and record decisions, which are answered when they are replicated."""
    return Story(name, Durability.REPLICATED, _patient())


def new_conversation() -> str:
    return f"conversations/{new_id()}"


def new_patient() -> str:
    return f"patients/{new_id()}"


def _conversation(messages: int) -> Iterator[Message]:
    frontend = f"serviceAccounts/{new_id()}"
    number = new_id().int % 10_000_000
    started = conversations_events.ConversationStarted(
        channel="SMS", frontend=frontend, address=f"+1555{number:07}", served_channels=["SMS"]
    )
    started.start_time.GetCurrentTime()
    yield started
    for count in range(messages):
        posted = conversations_events.MessagePosted(
            message=f"messages/{new_id()}",
            author_kind="PATIENT",
            author=frontend,
            channel="SMS",
            text=f"{_SAID[count % len(_SAID)]} ({count})",
        )
        posted.post_time.GetCurrentTime()
        yield posted


def _patient() -> Iterator[Message]:
    registered = patient_events.PatientRegistered(content_digest=new_id().bytes)
    registered.demographics.names.add(use="official", family_name="Drill", given_names=["Ada"])
    registered.demographics.birth_date = "1972-03-03"
    registered.demographics.identifiers.add(
        system="urn:careline:drill", type="MR", value=str(new_id())
    )
    registered.register_time.GetCurrentTime()
    yield registered
    for _ in range(CONSENTS):
        recorded = patient_events.ConsentRecorded(
            consent=f"consents/{new_id()}",
            decision="PERMIT",
            purposes_of_use=["TREAT"],
            resource_types=["Observation", "Condition"],
        )
        recorded.start_time.GetCurrentTime()
        yield recorded
