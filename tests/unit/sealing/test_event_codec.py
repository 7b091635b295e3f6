"""From events to stored bytes and back."""

from uuid import uuid4

import pytest
from google.protobuf.message_factory import GetMessageClass
from sealing.event_codec import EventCodec, EventUnreadable, StoredEvent, UnknownEventType
from sealing.lifting import NotSealable
from sealing.sealer import Sealer
from unit.sealing.compiled import example, message_named
from unit.sealing.keys_in_memory import KeysInMemory

STREAM = "conversations/1"
NOTED = "careline.example.events.v1.VisitNoted"


def codec(keys: KeysInMemory) -> EventCodec:
    return EventCodec(Sealer(keys), "visits", [example("VisitNoted"), example("VisitClosed")])


async def test_events_are_stored_sealed_and_open_as_they_were() -> None:
    keys = KeysInMemory()
    ids = [uuid4(), uuid4()]
    events = [
        example("VisitNoted")(visit="visits/1", text="My chest hurts"),
        example("VisitClosed")(visit="visits/1"),
    ]

    sealed = await codec(keys).seal_events(
        tenant="demo", stream=STREAM, subject=STREAM, ids=ids, events=events
    )
    opened = await codec(keys).open_events(
        [StoredEvent("demo", STREAM, each.id, each.type, each.data) for each in sealed]
    )

    assert [each.id for each in sealed] == ids
    assert [each.type for each in sealed] == [event.DESCRIPTOR.full_name for event in events]
    assert all(b"chest" not in each.data for each in sealed)
    assert [each.message for each in opened] == events


async def test_the_clear_part_decodes_without_keys() -> None:
    (sealed,) = await codec(KeysInMemory()).seal_events(
        tenant="demo",
        stream=STREAM,
        subject=STREAM,
        ids=[uuid4()],
        events=[example("VisitNoted")(visit="visits/1", text="My chest hurts")],
    )

    message = codec(KeysInMemory()).decode(sealed.type, sealed.data)

    assert isinstance(message, example("VisitNoted"))
    assert message.visit == "visits/1"
    assert message.text == ""


async def test_a_type_of_another_log_is_neither_written_nor_read() -> None:
    narrow = EventCodec(Sealer(KeysInMemory()), "visits", [example("VisitClosed")])

    with pytest.raises(UnknownEventType, match="no event type of log visits"):
        await narrow.seal_events(
            tenant="demo",
            stream=STREAM,
            subject=STREAM,
            ids=[uuid4()],
            events=[example("VisitNoted")()],
        )
    with pytest.raises(UnknownEventType):
        narrow.decode(NOTED, b"")


async def test_every_event_needs_an_id() -> None:
    with pytest.raises(ValueError, match="zip"):
        await codec(KeysInMemory()).seal_events(
            tenant="demo", stream=STREAM, subject=STREAM, ids=[], events=[example("VisitClosed")()]
        )


def test_bytes_that_are_no_message_are_refused_without_showing_them() -> None:
    with pytest.raises(EventUnreadable) as refusal:
        codec(KeysInMemory()).decode(NOTED, b"\xff chest")

    assert "chest" not in str(refusal.value)


def test_a_codec_is_not_made_for_a_type_that_would_leak() -> None:
    leaky = GetMessageClass(
        message_named(
            "Leaky",
            "message Leaky {"
            " string name = 1 [(careline.options.v1.sensitivity) = SENSITIVITY_PII]; }",
        )
    )

    with pytest.raises(NotSealable, match="declare"):
        EventCodec(Sealer(KeysInMemory()), "visits", [leaky])
