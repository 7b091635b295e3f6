from datetime import timedelta

import grpc
import pytest
from careline.conversations.events.v1.events_pb2 import MessagePosted
from careline.federation.v1 import partner_service_pb2 as pb2
from google.protobuf.duration_pb2 import Duration
from integration.federation.partner import Partner, desk, new_partner
from integration.federation.platform_rig import PlatformRig
from messaging.connect import CredentialsRefused
from runtime.errors import reason_from
from runtime.new_id import new_id


async def test_revoked_credentials_end_their_session_at_once_and_never_connect_again(
    rig: PlatformRig, partner: Partner
) -> None:
    issued = await partner.issue()
    client = await rig.connect(issued.credentials)
    await partner.revoke(issued.user)
    await client.wait_closed(within=2)
    with pytest.raises(CredentialsRefused):
        await rig.connect(issued.credentials)


async def test_revoking_one_user_leaves_the_partners_other_users_at_work(
    rig: PlatformRig, partner: Partner
) -> None:
    first, second = await partner.issue(), await partner.issue()
    leaver = await rig.connect(first.credentials)
    async with await rig.connect(second.credentials) as client:
        staying = await desk(client, partner.contract)
        await partner.revoke(first.user)
        await leaver.wait_closed(within=2)
        await rig.record("demo", MessagePosted(message="messages/1"))
        assert len(await staying.take(1)) == 1


async def test_a_revocation_outlives_a_later_one_and_new_credentials(
    rig: PlatformRig, partner: Partner
) -> None:
    first, second = await partner.issue(), await partner.issue()
    await partner.revoke(first.user)
    await partner.revoke(second.user)
    for issued in (first, second):
        with pytest.raises(CredentialsRefused):
            await rig.connect(issued.credentials)
    async with partner.connected() as again:
        assert again.client.is_connected


async def test_a_suspended_partner_is_cut_off_and_receives_nothing_while_others_do(
    rig: PlatformRig, partner: Partner
) -> None:
    other = await new_partner(rig, MessagePosted)
    issued = await partner.issue()
    client = await rig.connect(issued.credentials)
    async with other.connected() as theirs:
        suspended = await partner.suspend()
        await client.wait_closed(within=2)
        assert suspended.contract.state == pb2.Contract.STATE_SUSPENDED
        with pytest.raises(CredentialsRefused):
            await rig.connect(issued.credentials)
        await rig.record("demo", MessagePosted(message="messages/1"))
        assert len(await theirs.take(1)) == 1
    async with await rig.nats.connect(rig.nats.administrator()) as admin:
        info = await admin.jetstream().stream_info(partner.contract.stream)
    assert info.state.messages == 0
    waiting = await rig.rows("select partner from federation.outgoing")
    assert (partner.contract.name,) not in waiting


async def test_a_suspended_partner_gets_no_more_credentials(partner: Partner) -> None:
    await partner.suspend()
    with pytest.raises(grpc.aio.AioRpcError) as refused:
        await partner.issue()
    assert reason_from(refused.value) == "PARTNER_SUSPENDED"
    again = await partner.suspend()
    assert again.contract.etag == "1"


async def test_credentials_end_by_themselves(rig: PlatformRig, partner: Partner) -> None:
    answer = await partner.api.IssueCredentials(
        pb2.IssueCredentialsRequest(
            request_id=str(new_id()), partner=partner.contract.name, lifetime=Duration(seconds=90)
        )
    )
    left = answer.expire_time.ToDatetime() - partner.contract.create_time.ToDatetime()
    assert timedelta(seconds=90) <= left < timedelta(seconds=100)
    async with await rig.connect(answer.credentials) as client:
        assert client.is_connected


async def test_another_partners_user_can_not_be_revoked(rig: PlatformRig, partner: Partner) -> None:
    other = await new_partner(rig)
    theirs = await other.issue()
    with pytest.raises(grpc.aio.AioRpcError) as refused:
        await partner.revoke(theirs.user)
    assert reason_from(refused.value) == "DENIED_OR_ABSENT"
