import asyncio

import pytest
from careline.conversations.events.v1.events_pb2 import (
    ConversationClosed,
    ConversationStarted,
    ConversationWrappedUp,
    MessagePosted,
    PatientLinked,
)
from integration.federation.partner import Partner, new_partner
from integration.federation.platform_rig import PlatformRig
from messaging.denials import PermissionDenied
from messaging.partner_account import DURABLE
from nats.aio.msg import Msg

CANARIES = (b"555-0100-CANARY", b"chest pain CANARY", b"notes CANARY")


def conversation() -> tuple[ConversationStarted, MessagePosted, ConversationWrappedUp]:
    return (
        ConversationStarted(
            channel="SMS", frontend="serviceAccounts/1", address=CANARIES[0].decode()
        ),
        MessagePosted(message="messages/1", author_kind="PATIENT", text=CANARIES[1].decode()),
        ConversationWrappedUp(disposition="BOOKED", notes=CANARIES[2].decode(), agent="agents/1"),
    )


async def test_a_partner_pulls_the_clear_part_of_what_its_contract_names(
    rig: PlatformRig, partner: Partner
) -> None:
    stream = await rig.record("demo", *conversation(), ConversationClosed(reason="RESOLVED"))
    await rig.record("demo", MessagePosted(message="messages/2"))
    async with partner.connected() as desk:
        started, posted, wrapped, next_posted = await desk.take(4)
        assert (await desk.js.consumer_info(partner.contract.stream, DURABLE)).num_ack_pending == 0
    assert ConversationStarted.FromString(started.data) == ConversationStarted(
        channel="SMS", frontend="serviceAccounts/1"
    )
    assert MessagePosted.FromString(posted.data) == MessagePosted(
        message="messages/1", author_kind="PATIENT"
    )
    assert ConversationWrappedUp.FromString(wrapped.data) == ConversationWrappedUp(
        disposition="BOOKED", agent="agents/1"
    )
    key = partner.contract.partner_key
    assert posted.subject == f"fed.{key}.demo.{stream.id}.MessagePosted"
    assert MessagePosted.FromString(next_posted.data).message == "messages/2"


async def test_a_message_says_what_it_is_and_where_it_stands_and_nothing_of_who_caused_it(
    rig: PlatformRig, partner: Partner
) -> None:
    stream = await rig.record("demo", *conversation())
    async with partner.connected() as desk:
        first, second, _ = await desk.take(3)
    headers = second.headers or {}
    assert headers["ce-type"] == MessagePosted.DESCRIPTOR.full_name
    assert headers["ce-source"] == "careline/conversations"
    assert headers["ce-subject"] == stream.name
    assert headers["ce-id"] == headers["Nats-Msg-Id"]
    assert headers["careline-tenant"] == "demo"
    assert headers["careline-revision"] == "1"
    before = first.headers or {}
    assert before["careline-previous-position"] == "0"
    assert headers["careline-previous-position"] == before["careline-position"]
    assert not {"careline-metadata", "traceparent", "tracestate"} & headers.keys()


async def test_neither_a_sealed_nor_a_sensitive_byte_reaches_stream_table_or_partner(
    rig: PlatformRig, partner: Partner
) -> None:
    await rig.record("demo", *conversation())
    async with partner.connected() as desk:
        messages = await desk.take(3)
    stored = [event.data async for event in rig.conversations.read_log()]
    sealed = [MessagePosted.FromString(data).sealed.SerializeToString() for data in stored[-2:-1]]
    assert sealed[0]
    for message in messages:
        seen = message.data + repr(message.headers).encode()
        assert not any(canary in seen for canary in (*CANARIES, b"CANARY", *sealed))
        assert b"\xc2\x3e" not in message.data  # the tag of field 1000


async def test_two_partners_each_receive_their_own_contracts_events_at_once(
    rig: PlatformRig,
) -> None:
    one = await new_partner(rig, MessagePosted)
    two = await new_partner(rig, MessagePosted, ConversationClosed)
    async with one.connected() as left, two.connected() as right:
        await rig.record("demo", MessagePosted(), ConversationClosed(), MessagePosted())
        lefts, rights = await asyncio.gather(left.take(2), right.take(3))
        assert _events(lefts) == ["MessagePosted", "MessagePosted"]
        assert _events(rights) == ["MessagePosted", "ConversationClosed", "MessagePosted"]
        assert _keys(lefts) == {one.contract.partner_key}
        assert _keys(rights) == {two.contract.partner_key}


async def test_a_partner_of_one_tenant_receives_nothing_of_another_tenant(
    rig: PlatformRig,
) -> None:
    ours = await new_partner(rig, PatientLinked, tenant="demo")
    theirs = await new_partner(rig, PatientLinked, tenant="other")
    await rig.record("other", PatientLinked(patient="patients/theirs"))
    await rig.record("demo", PatientLinked(patient="patients/ours"))
    async with ours.connected() as desk, theirs.connected() as other_desk:
        [message] = await desk.take(1)
        [other] = await other_desk.take(1)
    assert PatientLinked.FromString(message.data).patient == "patients/ours"
    assert PatientLinked.FromString(other.data).patient == "patients/theirs"


async def test_a_contract_covers_what_happens_after_it_was_made(rig: PlatformRig) -> None:
    await rig.record("demo", ConversationClosed(reason="ABANDONED"))
    partner = await new_partner(rig, ConversationClosed)
    await rig.record("demo", ConversationClosed(reason="RESOLVED"))
    async with partner.connected() as desk:
        [message] = await desk.take(1)
    assert ConversationClosed.FromString(message.data).reason == "RESOLVED"


async def test_a_partner_may_do_nothing_but_pull_acknowledge_and_look_at_its_consumer(
    rig: PlatformRig, partner: Partner
) -> None:
    other = await new_partner(rig)
    mine, theirs = partner.contract.stream, other.contract.stream
    forbidden = [
        f"fed.{partner.contract.partner_key}.demo.1.MessagePosted",
        f"fed.{other.contract.partner_key}.demo.1.MessagePosted",
        "careline.demo.conversations.1.MessagePosted",
        "$SYS.REQ.CLAIMS.UPDATE",
        *(
            f"{prefix}.{call}"
            for prefix in ("$JS.API", "careline.API")
            for call in (
                f"STREAM.INFO.{mine}",
                f"STREAM.MSG.GET.{mine}",
                f"CONSUMER.CREATE.{mine}.mine",
                f"CONSUMER.DELETE.{mine}.{DURABLE}",
                f"CONSUMER.MSG.NEXT.{theirs}.{DURABLE}",
                f"CONSUMER.INFO.{theirs}.{DURABLE}",
                "STREAM.INFO.CARELINE_CONVERSATIONS",
                "STREAM.CREATE.MINE",
                "STREAM.NAMES",
            )
        ),
        f"$JS.ACK.{theirs}.{DURABLE}.1.1.1.1.1",
    ]
    async with partner.connected() as desk:
        for subject in forbidden:
            with pytest.raises(PermissionDenied):
                await desk.client.request(subject, b"{}", timeout=5)


async def test_a_partner_can_not_listen_to_any_subject_but_its_own_answers(
    partner: Partner,
) -> None:
    async with partner.connected() as desk:
        for subject in (
            ">",
            "fed.>",
            "careline.>",
            "$SYS.>",
            f"fed.{partner.contract.partner_key}.>",
        ):
            with desk.client.denials.watch(subject) as denied:
                await desk.client.subscribe(subject)
                assert await denied == subject.lower()


def _events(messages: list[Msg]) -> list[str]:
    return [message.subject.rpartition(".")[2] for message in messages]


def _keys(messages: list[Msg]) -> set[str]:
    return {message.subject.split(".")[1] for message in messages}
