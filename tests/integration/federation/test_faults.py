"""What one partner's trouble, a crash, or NATS's absence does to forwarding and to cutting off."""

import asyncio
from contextlib import suppress

import grpc
import pytest
from careline.conversations.events.v1.events_pb2 import ConversationClosed, MessagePosted
from integration.federation.federation_process import federation_process
from integration.federation.partner import Partner, new_partner
from integration.federation.platform_rig import PlatformRig
from messaging.connect import CredentialsRefused
from nats.aio.msg import Msg
from nats.js import JetStreamContext
from nats.js.errors import NotFoundError
from runtime.errors import reason_from


def posted(number: int) -> MessagePosted:
    return MessagePosted(message=f"messages/{number}")


def numbers(messages: list[Msg]) -> list[str]:
    return [MessagePosted.FromString(message.data).message for message in messages]


async def test_a_partner_whose_stream_somebody_wrote_to_waits_and_holds_up_nobody(
    rig: PlatformRig,
) -> None:
    broken = await new_partner(rig, MessagePosted)
    healthy = await new_partner(rig, MessagePosted)
    async with await rig.nats.connect(rig.nats.administrator()) as admin:
        await admin.jetstream().publish(f"fed.{broken.contract.partner_key}.demo.1.Forged", b"")
    await rig.record("demo", posted(1))
    async with healthy.connected() as desk:
        assert numbers(await desk.take(1)) == ["messages/1"]
    waiting = await rig.rows(
        "select sequence from federation.outgoing where partner = :name", name=broken.contract.name
    )
    assert waiting == [(1,)]


async def test_a_stream_that_was_lost_is_made_anew_and_goes_on_where_it_was(
    rig: PlatformRig,
) -> None:
    partner = await new_partner(rig, MessagePosted)
    await rig.record("demo", posted(1), posted(2))
    async with partner.connected() as desk:
        await desk.take(2)
    async with await rig.nats.connect(rig.nats.administrator()) as admin:
        await admin.jetstream().delete_stream(partner.contract.stream)
        await rig.record("demo", posted(3))
        await _until_there(admin.jetstream(), partner.contract.stream)
    async with partner.connected() as desk:
        assert numbers(await desk.take(1)) == ["messages/3"]


async def test_what_was_published_before_a_crash_is_not_published_again(
    rig: PlatformRig,
) -> None:
    partner = await new_partner(rig, MessagePosted)
    await rig.record("demo", posted(1))
    async with partner.connected() as desk:
        [published] = await desk.take(1)
        await _until_nothing_waits(rig, partner)
        # As if the process had ended between the publication and its note of it.
        await rig.rows(
            "insert into federation.outgoing values "
            "('demo', :name, 1, :subject, "
            "jsonb_build_object('Nats-Msg-Id', cast(:id as text)), ''::bytea)",
            name=partner.contract.name,
            subject=published.subject,
            id=(published.headers or {})["ce-id"],
        )
        await rig.record("demo", posted(2))
        [message] = await desk.take(1)
        assert numbers([message]) == ["messages/2"]
        assert message.metadata.sequence.stream == 2


async def test_two_processes_forward_once_and_enforce_each_others_contracts(
    rig: PlatformRig,
) -> None:
    async with federation_process(rig.servers) as port:
        first = await new_partner(rig, MessagePosted)
        second = await new_partner(rig, MessagePosted, port=port)
        async with first.connected() as left, second.connected() as right:
            await rig.record("demo", *(posted(number) for number in range(20)))
            everything = [f"messages/{number}" for number in range(20)]
            assert numbers(await left.take(20)) == everything
            assert numbers(await right.take(20)) == everything
        issued = await first.issue()
        client = await rig.connect(issued.credentials)
        elsewhere = Partner(rig, second.api, first.contract, first.request)
        await elsewhere.revoke(issued.user)
        await client.wait_closed(within=2)
    survivor = Partner(rig, first.api, second.contract, second.request)
    async with survivor.connected() as right:
        await rig.record("demo", posted(20))
        assert numbers(await right.take(1)) == ["messages/20"]


async def test_contracts_made_at_once_all_come_into_force(rig: PlatformRig) -> None:
    partners = await asyncio.gather(*(new_partner(rig, ConversationClosed) for _ in range(5)))
    await rig.record("demo", ConversationClosed(reason="RESOLVED"))
    for partner in partners:
        async with partner.connected() as desk:
            assert len(await desk.take(1)) == 1


async def test_a_revocation_while_nats_is_away_is_refused_and_in_force_when_it_is_back(
    rig: PlatformRig,
) -> None:
    partner = await new_partner(rig, MessagePosted)
    issued = await partner.issue()
    await rig.nats.kill()
    try:
        with pytest.raises(grpc.aio.AioRpcError) as refused:
            await partner.revoke(issued.user)
        assert reason_from(refused.value) == "DEPENDENCY_UNAVAILABLE"
    finally:
        await rig.nats.start()
    await _until_refused(rig, issued.credentials)
    await rig.record("demo", posted(1))
    async with partner.connected() as desk:
        assert numbers(await desk.take(1)) == ["messages/1"]


async def _until_nothing_waits(rig: PlatformRig, partner: Partner) -> None:
    waiting = "select sequence from federation.outgoing where partner = :name"
    for _ in range(600):
        if not await rig.rows(waiting, name=partner.contract.name):
            return
        await asyncio.sleep(0.05)
    raise AssertionError("what was published still waits")


async def _until_there(js: JetStreamContext, stream: str) -> None:
    for _ in range(600):
        with suppress(NotFoundError):
            if (await js.stream_info(stream)).state.last_seq == 3:
                return
        await asyncio.sleep(0.1)
    raise AssertionError("the stream was not made anew")


async def _until_refused(rig: PlatformRig, credentials: str) -> None:
    for _ in range(600):
        try:
            client = await rig.connect(credentials)
        except CredentialsRefused:
            return
        await client.close()
        await asyncio.sleep(0.1)
    raise AssertionError("revoked credentials still connect")
