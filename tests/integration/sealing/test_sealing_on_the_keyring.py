"""Events sealed by one process and opened by another, before and after an erasure."""

import asyncio
from uuid import uuid4

import pytest
from careline.conversations.events.v1.events_pb2 import ConversationClosed, MessagePosted
from google.protobuf.message import Message
from integration.sealing.rig import ERASING, Process, Rig
from sealing.event_codec import EventCodec, SealedEvent, StoredEvent
from sealing.keyring import Erased, SubjectErased
from sealing.sealer import Opened, Sealer
from sealing.value_sealer import Cell, ValueSealer

PATIENT = "patients/1"


def codec(process: Process) -> EventCodec:
    return EventCodec(Sealer(process.keyring), "conversations", [MessagePosted, ConversationClosed])


async def posted(process: Process, tenant: str, stream: str, text: str) -> tuple[SealedEvent, ...]:
    return await codec(process).seal_events(
        tenant=tenant,
        stream=stream,
        subject=stream,
        ids=[uuid4(), uuid4()],
        events=[
            MessagePosted(message="messages/1", text=text),
            ConversationClosed(reason="RESOLVED"),
        ],
    )


async def opened(
    process: Process, tenant: str, stream: str, events: tuple[SealedEvent, ...]
) -> list[Opened[Message]]:
    return await codec(process).open_events(
        [StoredEvent(tenant, stream, each.id, each.type, each.data) for each in events]
    )


async def test_what_one_process_seals_another_opens(rig: Rig, tenant: str) -> None:
    writer, reader = await rig.process(), await rig.process()

    events = await posted(writer, tenant, "conversations/1", "My chest hurts")
    message, closed = await opened(reader, tenant, "conversations/1", events)

    assert all(b"chest" not in event.data for event in events)
    assert message.message == MessagePosted(message="messages/1", text="My chest hurts")
    assert closed.message == ConversationClosed(reason="RESOLVED")


async def test_after_an_erasure_the_stored_bytes_name_what_is_gone_and_seal_no_more(
    rig: Rig, tenant: str
) -> None:
    writer, reader = await rig.process(roles=ERASING), await rig.process()
    mine = await posted(writer, tenant, "conversations/1", "My chest hurts")
    shared = await posted(writer, tenant, "conversations/2", "Both of us")
    for stream, patient in (
        ("conversations/1", PATIENT),
        ("conversations/2", PATIENT),
        ("conversations/2", "patients/2"),
    ):
        await writer.keyring.link(tenant, stream, patient)

    erasure = await writer.keyring.erase(tenant, PATIENT, "requests/1")
    reader.keyring.forget(tenant, erasure.erased)

    for process in (writer, reader):
        gone, _ = await opened(process, tenant, "conversations/1", mine)
        assert gone == Opened(MessagePosted(message="messages/1"), ("text",))
        kept, _ = await opened(process, tenant, "conversations/2", shared)
        assert kept == Opened(MessagePosted(message="messages/1", text="Both of us"))
        with pytest.raises(SubjectErased):
            await posted(process, tenant, "conversations/1", "Hello?")


async def test_events_sealed_while_the_erasure_runs_open_or_are_erased_never_lost(
    rig: Rig, tenant: str
) -> None:
    writers = [await rig.process(roles=ERASING) for _ in range(3)]
    await writers[0].keyring.link(tenant, "conversations/1", PATIENT)

    erasure, *outcomes = await asyncio.gather(
        writers[0].keyring.erase(tenant, PATIENT, "requests/1"),
        *(posted(writer, tenant, "conversations/1", "My chest hurts") for writer in writers),
        return_exceptions=True,
    )

    assert not isinstance(erasure, BaseException)
    reader = await rig.process()
    for outcome in outcomes:
        if isinstance(outcome, tuple):
            gone, _ = await opened(reader, tenant, "conversations/1", outcome)
            assert gone.erased == ("text",)
        else:
            assert isinstance(outcome, SubjectErased)


async def test_values_of_read_models_go_with_their_subject(rig: Rig, tenant: str) -> None:
    process = await rig.process(roles=ERASING)
    sealer, cell = ValueSealer(process.keyring), Cell("identity.known_patient", PATIENT, "names")
    sealed = await sealer.seal(b"Ada Byron", tenant=tenant, subject=PATIENT, cell=cell)
    assert await sealer.open(sealed, tenant=tenant, cell=cell) == b"Ada Byron"

    await process.keyring.erase(tenant, PATIENT, "requests/1")

    assert isinstance(await sealer.open(sealed, tenant=tenant, cell=cell), Erased)
