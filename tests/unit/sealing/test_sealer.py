"""Sealing one message and opening it again."""

from dataclasses import replace
from typing import Any, TypeVar
from uuid import UUID, uuid4

import pytest
from google.protobuf.message import Message
from google.protobuf.message_factory import GetMessageClass
from hypothesis import given
from hypothesis import strategies as st
from sealing.keyring import SubjectErased, UnknownKey
from sealing.lifting import NotSealable
from sealing.sealer import AlreadySealed, Opened, Place, SealBroken, Sealer
from sealing.sensitivity import paths_of
from unit.sealing.any_message import MARK, messages
from unit.sealing.compiled import example, message_named
from unit.sealing.keys_in_memory import KeysInMemory

M = TypeVar("M", bound=Message)

TENANT = "demo"
SUBJECT = "conversations/1"
EVENT = UUID("0197f0a0-0000-8000-8000-000000000001")
PLACE = Place("conversations", TENANT, SUBJECT, EVENT)


def noted() -> Any:  # noqa: ANN401 - a class made at run time has no static type
    note = example("VisitNoted")(visit="visits/1", text="My chest hurts", phones=["+15558396872"])
    note.contact.name = "Ada Byron"
    note.contact.role = "aunt"
    return note


async def sealed_by(keys: KeysInMemory, message: Message, place: Place = PLACE) -> Any:  # noqa: ANN401 - as above
    return await Sealer(keys).seal(
        message,
        subject=place.stream,
        tenant=place.tenant,
        log=place.log,
        stream=place.stream,
        event_id=place.event_id,
    )


async def opened_by(keys: KeysInMemory, message: M, place: Place = PLACE) -> Opened[M]:
    return await Sealer(keys).open(
        message,
        tenant=place.tenant,
        log=place.log,
        stream=place.stream,
        event_id=place.event_id,
    )


@given(st.data())
async def test_any_message_opens_as_it_was(data: st.DataObject) -> None:
    message = data.draw(messages(example("VisitNoted").DESCRIPTOR))
    before = message.SerializeToString(deterministic=True)
    keys = KeysInMemory()

    sealed = await sealed_by(keys, message)
    stored = sealed.SerializeToString()
    opened = await opened_by(keys, type(message).FromString(stored))

    assert opened.erased == ()
    assert opened.message == message
    assert opened.message.SerializeToString(deterministic=True) == before
    assert message.SerializeToString(deterministic=True) == before
    assert MARK.encode() not in stored


@given(st.data())
async def test_the_public_part_holds_no_sensitive_field(data: st.DataObject) -> None:
    message = data.draw(messages(example("VisitNoted").DESCRIPTOR))

    public = await sealed_by(KeysInMemory(), message)

    was_set = [path for path in paths_of(message.DESCRIPTOR) if is_set(message, path)]
    assert sorted(public.sealed.paths) == sorted(was_set)
    assert public.HasField("sealed") == bool(was_set)
    assert [path for path in paths_of(message.DESCRIPTOR) if is_set(public, path)] == []
    for name in ("visit", "counts", "tally", "note_time"):
        assert getattr(public, name) == getattr(message, name)


def is_set(message: Message, path: str) -> bool:
    *above, last = path.split(".")
    for step in above:
        if not message.HasField(step):
            return False
        message = getattr(message, step)
    return last in {field.name for field, _ in message.ListFields()}


async def test_the_clear_part_reads_without_a_key() -> None:
    sealed = await sealed_by(KeysInMemory(), noted())

    assert sealed.visit == "visits/1"
    assert sealed.contact.role == "aunt"
    assert sealed.text == ""
    assert list(sealed.sealed.paths) == ["text", "contact.name", "phones"]
    assert len(sealed.sealed.key_id) == 16
    assert len(sealed.sealed.nonce) == 12


async def test_a_message_with_nothing_sensitive_set_is_left_without_seal() -> None:
    keys = KeysInMemory()

    sealed = await sealed_by(keys, example("VisitNoted")(visit="visits/1"))
    plain = await sealed_by(keys, example("VisitClosed")(visit="visits/1"))

    assert not sealed.HasField("sealed")
    assert plain == example("VisitClosed")(visit="visits/1")
    assert (await opened_by(keys, sealed)).message == sealed
    assert (await opened_by(keys, plain)).message == plain


async def test_the_same_message_never_gives_the_same_ciphertext_twice() -> None:
    keys = KeysInMemory()

    first, second = await sealed_by(keys, noted()), await sealed_by(keys, noted())

    assert first.sealed.key_id == second.sealed.key_id
    assert first.sealed.nonce != second.sealed.nonce
    assert first.sealed.ciphertext != second.sealed.ciphertext


@pytest.mark.parametrize("part", ["nonce", "ciphertext"])
async def test_one_flipped_byte_anywhere_does_not_open(part: str) -> None:
    keys = KeysInMemory()
    sealed = await sealed_by(keys, noted())

    for index in range(len(getattr(sealed.sealed, part))):
        altered = example("VisitNoted").FromString(sealed.SerializeToString())
        octets = bytearray(getattr(altered.sealed, part))
        octets[index] ^= 1
        setattr(altered.sealed, part, bytes(octets))
        with pytest.raises(SealBroken):
            await opened_by(keys, altered)


@pytest.mark.parametrize(
    ("part", "value"),
    [
        ("nonce", b""),
        ("nonce", b"\0" * 11),
        ("ciphertext", b""),
        ("ciphertext", b"\0" * 15),
        ("key_id", b""),
        ("key_id", b"\0" * 15),
    ],
)
async def test_sealed_fields_of_a_wrong_size_do_not_open(part: str, value: bytes) -> None:
    keys = KeysInMemory()
    sealed = await sealed_by(keys, noted())
    setattr(sealed.sealed, part, value)

    with pytest.raises(SealBroken):
        await opened_by(keys, sealed)


async def test_altered_paths_do_not_open() -> None:
    keys = KeysInMemory()
    sealed = await sealed_by(keys, noted())
    sealed.sealed.paths[0] = "alias"

    with pytest.raises(SealBroken):
        await opened_by(keys, sealed)


@pytest.mark.parametrize(
    "elsewhere",
    [
        {"log": "identity"},
        {"stream": "conversations/2"},
        {"event_id": UUID("0197f0a0-0000-8000-8000-000000000002")},
    ],
    ids=["log", "stream", "event"],
)
async def test_a_moved_event_does_not_open(elsewhere: dict[str, Any]) -> None:
    keys = KeysInMemory()
    sealed = await sealed_by(keys, noted())

    with pytest.raises(SealBroken):
        await opened_by(keys, sealed, replace(PLACE, **elsewhere))


async def test_another_tenant_has_no_such_key() -> None:
    keys = KeysInMemory()
    sealed = await sealed_by(keys, noted())

    with pytest.raises(UnknownKey):
        await opened_by(keys, sealed, replace(PLACE, tenant="other"))


async def test_not_even_with_the_same_key_does_another_tenant_open_it() -> None:
    keys = KeysInMemory()
    sealed = await sealed_by(keys, noted())
    keys.share(TENANT, SUBJECT, "other")

    with pytest.raises(SealBroken):
        await opened_by(keys, sealed, replace(PLACE, tenant="other"))


async def test_under_another_type_it_does_not_open() -> None:
    keys = KeysInMemory()
    sealed = await sealed_by(keys, noted())
    twin = GetMessageClass(
        message_named(
            "Twin",
            "message Twin { string visit = 1;"
            " string text = 2 [(careline.options.v1.sensitivity) = SENSITIVITY_PHI];"
            " careline.sealing.v1.SealedFields sealed = 1000; }",
        )
    )

    with pytest.raises(SealBroken):
        await opened_by(keys, twin.FromString(sealed.SerializeToString()))


async def test_under_another_key_it_does_not_open() -> None:
    keys = KeysInMemory()
    sealed = await sealed_by(keys, noted())
    sealed.sealed.key_id = (await keys.data_key(TENANT, "conversations/2")).id.bytes

    with pytest.raises(SealBroken) as refusal:
        await opened_by(keys, sealed)

    assert "chest" not in str(refusal.value)
    assert refusal.value.event_id == EVENT


async def test_after_an_erasure_the_paths_are_named_and_the_rest_reads() -> None:
    keys = KeysInMemory()
    sealed = await sealed_by(keys, noted())
    keys.erase(TENANT, SUBJECT)

    opened = await opened_by(keys, sealed)

    assert opened.erased == ("text", "contact.name", "phones")
    assert opened.message.visit == "visits/1"
    assert opened.message.text == ""
    assert not opened.message.HasField("sealed")
    with pytest.raises(SubjectErased):
        await sealed_by(keys, noted())


async def test_a_sealed_message_is_not_sealed_again() -> None:
    keys = KeysInMemory()
    sealed = await sealed_by(keys, noted())

    with pytest.raises(AlreadySealed):
        await sealed_by(keys, sealed)


async def test_a_type_that_would_leak_is_refused_before_anything_is_sealed() -> None:
    leaky = GetMessageClass(
        message_named(
            "Leaky",
            "message Part {"
            " string name = 1 [(careline.options.v1.sensitivity) = SENSITIVITY_PII]; }"
            "message Leaky { repeated Part parts = 1;"
            " careline.sealing.v1.SealedFields sealed = 1000; }",
        )
    )

    with pytest.raises(NotSealable, match="parts is repeated"):
        await sealed_by(KeysInMemory(), leaky())


async def test_fields_that_nobody_classified_are_not_stored_in_clear() -> None:
    newer = GetMessageClass(
        message_named("Newer", "message Newer { string visit = 1; string whisper = 900; }")
    )
    octets = newer(visit="visits/1", whisper="My chest hurts").SerializeToString()
    read_by_older = example("VisitNoted").FromString(octets)
    read_by_older.contact.MergeFromString(octets)

    sealed = await sealed_by(KeysInMemory(), read_by_older)

    assert b"chest" in read_by_older.SerializeToString()
    assert b"chest" not in sealed.SerializeToString()


async def test_a_page_costs_one_query_for_each_tenant_and_keeps_its_order() -> None:
    keys = KeysInMemory()
    sealer = Sealer(keys)
    page = []
    for number in range(60):
        place = Place("conversations", f"tenant-{number % 2}", f"conversations/{number}", uuid4())
        note = example("VisitNoted")(visit=f"visits/{number}", text=f"note {number}")
        page.append((await sealed_by(keys, note, place), place))
    page.append((example("VisitClosed")(visit="visits/60"), Place("l", "tenant-3", "s", uuid4())))

    opened = await sealer.open_many(page)

    assert [each.message.visit for each in opened] == [f"visits/{number}" for number in range(61)]
    assert [each.message.text for each in opened[:60]] == [f"note {number}" for number in range(60)]
    assert [(tenant, len(ids)) for tenant, ids in keys.queries] == [
        ("tenant-0", 30),
        ("tenant-1", 30),
    ]
    assert await sealer.open_many([]) == []
