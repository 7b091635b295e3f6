"""Old events are read as today's; what was sealed stays sealed, opens, and is erased as before."""

from collections.abc import Callable
from typing import Any
from uuid import UUID, uuid4

import pytest
from eventstore.upcaster import Upcaster
from sealing.event_codec import EventCodec, EventRetired, SealedEvent, StoredEvent
from sealing.sealer import Sealer
from sealing.upcasting import UpcasterInvalid, UpcastShowsSealed
from unit.sealing.compiled import aged
from unit.sealing.keys_in_memory import KeysInMemory

STREAM = "visits/1"
DESCRIBED, RECORDED, TAKEN = (
    aged(name) for name in ("VisitDescribed", "VisitRecorded", "VisitTaken")
)
TYPES = (DESCRIBED, RECORDED, TAKEN)


def recorded(old: Any) -> Any:  # noqa: ANN401 - classes made at run time
    return RECORDED(visit=f"visits/{old.number}", complaint=old.text)


def taken(old: Any) -> Any:  # noqa: ANN401 - as above
    return TAKEN(visit=old.visit, source="recorded", said={"complaint": old.complaint})


STEPS: tuple[Upcaster[Any, Any], ...] = (
    Upcaster(DESCRIBED, RECORDED, recorded, {"text": "complaint", "caller": ""}),
    Upcaster(RECORDED, TAKEN, taken, {"complaint": "said.complaint"}),
)


class Clinic:
    """One keyring, with the codec of any version of the code."""

    def __init__(self) -> None:
        self.keys = KeysInMemory()

    def codec(self, steps: tuple[Upcaster[Any, Any], ...] = STEPS) -> EventCodec:
        return EventCodec(Sealer(self.keys), "visits", TYPES, steps)

    async def stored(self, event: Any) -> SealedEvent:  # noqa: ANN401 - as above
        """Store an event as the version did that had no upcasters yet."""
        (sealed,) = await self.codec(()).seal_events(
            tenant="demo", stream=STREAM, subject=STREAM, ids=[uuid4()], events=[event]
        )
        return sealed


def read(sealed: SealedEvent, event_id: UUID | None = None) -> StoredEvent:
    return StoredEvent("demo", STREAM, event_id or sealed.id, sealed.type, sealed.data)


@pytest.fixture
def clinic() -> Clinic:
    return Clinic()


async def test_an_old_event_is_read_as_todays_message_through_every_step(clinic: Clinic) -> None:
    old = await clinic.stored(DESCRIBED(number=7, text="My chest hurts", caller="Ana"))

    closed = clinic.codec().decode(old.type, old.data)
    (opened,) = await clinic.codec().open_events([read(old)])

    assert closed == TAKEN(visit="visits/7", source="recorded", said={})
    assert opened.message == TAKEN(
        visit="visits/7", source="recorded", said={"complaint": "My chest hurts"}
    )
    assert opened.erased == ()


async def test_stored_bytes_and_the_message_that_was_read_stay_as_they_were(clinic: Clinic) -> None:
    old = await clinic.stored(DESCRIBED(number=7, text="My chest hurts"))
    before = bytes(old.data)

    clinic.codec().decode(old.type, old.data)
    await clinic.codec().open_events([read(old)])

    assert old.data == before
    assert (
        clinic.codec(()).decode(old.type, old.data).SerializeToString(deterministic=True) == before
    )


async def test_what_was_erased_is_erased_under_todays_name(clinic: Clinic) -> None:
    old = await clinic.stored(DESCRIBED(number=7, text="My chest hurts", caller="Ana"))
    clinic.keys.erase("demo", STREAM)

    (opened,) = await clinic.codec().open_events([read(old)])

    assert opened.message == TAKEN(visit="visits/7", source="recorded", said={})
    assert opened.erased == ("said.complaint",)


async def test_todays_events_and_old_ones_are_opened_together(clinic: Clinic) -> None:
    events = [
        TAKEN(visit="visits/1", said={"complaint": "new"}),
        RECORDED(visit="visits/2", complaint="old"),
    ]
    stored = [await clinic.stored(event) for event in events]

    opened = await clinic.codec().open_events([read(one) for one in stored])

    assert [one.message for one in opened] == [
        TAKEN(visit="visits/1", said={"complaint": "new"}),
        TAKEN(visit="visits/2", source="recorded", said={"complaint": "old"}),
    ]


async def test_an_old_message_is_written_no_more(clinic: Clinic) -> None:
    with pytest.raises(EventRetired, match="VisitDescribed is written no more"):
        await clinic.codec().seal_events(
            tenant="demo",
            stream=STREAM,
            subject=STREAM,
            ids=[uuid4()],
            events=[DESCRIBED(number=1)],
        )


@pytest.mark.parametrize(
    "leak",
    [lambda old: old.complaint, lambda old: "loud" if "!" in old.complaint else ""],
    ids=["itself", "what follows from it"],
)
async def test_a_step_that_shows_what_is_sealed_is_stopped(
    clinic: Clinic, leak: Callable[[Any], str]
) -> None:
    leaky = Upcaster(
        RECORDED,
        TAKEN,
        lambda old: TAKEN(visit=old.visit, source=leak(old)),
        {"complaint": "said.complaint"},
    )
    old = await clinic.stored(RECORDED(visit="visits/1", complaint="My chest hurts!"))
    codec = clinic.codec((leaky,))

    with pytest.raises(UpcastShowsSealed) as refusal:
        await codec.open_events([read(old)])

    assert "chest" not in str(refusal.value)
    assert codec.decode(old.type, old.data) == TAKEN(visit="visits/1")


def test_the_stored_types_of_a_message_are_all_that_lead_to_it(clinic: Clinic) -> None:
    codec = clinic.codec()

    assert codec.older_than(TAKEN.DESCRIPTOR.full_name) == {
        DESCRIBED.DESCRIPTOR.full_name,
        RECORDED.DESCRIPTOR.full_name,
    }
    assert codec.older_than(DESCRIBED.DESCRIPTOR.full_name) == frozenset()


@pytest.mark.parametrize(
    ("steps", "reason"),
    [
        ((STEPS[0], STEPS[0]), "two upcasters"),
        ((Upcaster(TAKEN, TAKEN, lambda old: old),), "circle"),
        (
            (*STEPS, Upcaster(TAKEN, DESCRIBED, lambda _: DESCRIBED(), {"said.complaint": "text"})),
            "circle",
        ),
        ((Upcaster(DESCRIBED, RECORDED, recorded),), "no sealed field for"),
        (
            (Upcaster(DESCRIBED, RECORDED, recorded, {"text": "visit", "caller": ""}),),
            "no sealed field for",
        ),
        (
            (Upcaster(RECORDED, TAKEN, taken, {"complaint": "said.complaint", "note": ""}),),
            "has no sealed",
        ),
    ],
    ids=["twice", "to itself", "round", "path lost", "to a clear field", "unknown path"],
)
def test_steps_that_would_not_do_are_refused(
    clinic: Clinic, steps: tuple[Upcaster[Any, Any], ...], reason: str
) -> None:
    with pytest.raises(UpcasterInvalid, match=reason):
        clinic.codec(steps)


async def test_a_step_that_gives_another_message_than_it_says_is_refused(clinic: Clinic) -> None:
    wrong = Upcaster[Any, Any](RECORDED, TAKEN, lambda old: old, {"complaint": "said.complaint"})
    old = await clinic.stored(RECORDED(visit="visits/1"))

    with pytest.raises(UpcasterInvalid, match="gives no"):
        clinic.codec((wrong,)).decode(old.type, old.data)
