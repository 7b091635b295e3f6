from datetime import UTC, datetime, timedelta

import pytest
from integration.messaging.nats_rig import NatsRig
from messaging.accounts import Account, AccountLimits, NatsOperator
from messaging.claims_push import ClaimsRefused, push_claims
from messaging.connect import CredentialsRefused, connect
from messaging.denials import PermissionDenied
from messaging.names import Consumption
from messaging.partner_account import API_PREFIX, DURABLE, PARTNER_LIMITS, PartnerStream
from messaging.permissions import Permissions
from nats.js.api import AckPolicy, ConsumerConfig, StreamConfig
from nats.js.errors import ServiceUnavailableError


async def test_a_user_of_the_platform_account_connects_and_reaches_jetstream(
    nats_rig: NatsRig,
) -> None:
    async with await nats_rig.connect(nats_rig.administrator()) as client:
        await client.jetstream().add_stream(StreamConfig(name="S", subjects=["s.>"]))
        assert (await client.jetstream().publish("s.1", b"x")).seq == 1


async def test_credentials_of_another_operator_are_refused_at_once(nats_rig: NatsRig) -> None:
    stranger = NatsOperator.generate().platform.credentials("thief", Permissions((), ()))
    with pytest.raises(CredentialsRefused):
        await connect(nats_rig.servers, user="thief", creds=stranger.text)


async def test_an_account_that_the_operator_did_not_sign_lets_nobody_in(nats_rig: NatsRig) -> None:
    account = Account.generate("X")
    forged = NatsOperator.generate().account_jwt(account, limits=AccountLimits())
    async with await nats_rig.connect(nats_rig.system()) as system:
        await push_claims(system, forged)
    with pytest.raises(CredentialsRefused):
        await nats_rig.connect(account.credentials("thief", Permissions((), ())))


async def test_an_account_signed_with_the_identity_key_is_refused_for_want_of_the_signing_key(
    nats_rig: NatsRig,
) -> None:
    operator = nats_rig.operator
    by_identity = NatsOperator(
        operator.name, operator.identity, operator.identity, operator.system, operator.platform
    )
    jwt = by_identity.account_jwt(Account.generate("X"), limits=AccountLimits())
    async with await nats_rig.connect(nats_rig.system()) as system:
        with pytest.raises(ClaimsRefused):
            await push_claims(system, jwt)


async def test_an_operator_taken_up_from_its_seeds_signs_as_before(nats_rig: NatsRig) -> None:
    again = NatsOperator.from_seeds(nats_rig.operator.seeds())
    assert again == nats_rig.operator
    credentials = again.platform.credentials("later", Permissions((), ("_INBOX_later.>",)))
    async with await nats_rig.connect(credentials) as client:
        assert client.is_connected


async def test_revoking_a_user_ends_his_session_and_keeps_him_out(nats_rig: NatsRig) -> None:
    partner = Account.generate("PARTNER")
    operator = nats_rig.operator
    user = partner.credentials("agent", Permissions((), ("_INBOX.>",)))
    async with await nats_rig.connect(nats_rig.system()) as system:
        await push_claims(system, operator.account_jwt(partner, limits=AccountLimits()))
        client = await nats_rig.connect(user)
        revoked = {user.public: datetime.now(UTC) + timedelta(seconds=1)}
        await push_claims(
            system, operator.account_jwt(partner, limits=AccountLimits(), revocations=revoked)
        )
        await client.wait_closed(within=5)
        with pytest.raises(CredentialsRefused):
            await nats_rig.connect(user)


async def test_credentials_end_when_they_expire(nats_rig: NatsRig) -> None:
    soon = datetime.now(UTC) + timedelta(seconds=2)
    user = nats_rig.operator.platform.credentials("guest", Permissions((), ()), expires=soon)
    client = await nats_rig.connect(user)
    await client.wait_closed(within=10)


async def test_an_account_pushed_later_outlives_a_restart_with_the_older_preload(
    nats_rig: NatsRig,
) -> None:
    stream = PartnerStream("acme")
    partner = Account.generate("ACME")
    operator = nats_rig.operator
    imports = stream.imports(operator.platform, partner)
    async with await nats_rig.connect(nats_rig.system()) as system:
        await push_claims(system, operator.platform_jwt(stream.exports()))
        await push_claims(
            system, operator.account_jwt(partner, limits=PARTNER_LIMITS, imports=imports)
        )
    await nats_rig.kill()
    await nats_rig.start()
    await _partner_reads(nats_rig, stream, partner)


async def test_a_partner_pulls_its_own_stream_and_sees_nothing_else(nats_rig: NatsRig) -> None:
    stream = PartnerStream("acme")
    partner = Account.generate("ACME")
    operator = nats_rig.operator
    imports = stream.imports(operator.platform, partner)
    async with await nats_rig.connect(nats_rig.system()) as system:
        await push_claims(system, operator.platform_jwt(stream.exports()))
        await push_claims(
            system, operator.account_jwt(partner, limits=PARTNER_LIMITS, imports=imports)
        )
    await _partner_reads(nats_rig, stream, partner)


async def test_an_account_without_a_token_cannot_import_anothers_stream(nats_rig: NatsRig) -> None:
    stream = PartnerStream("acme")
    thief = Account.generate("THIEF")
    operator = nats_rig.operator
    stolen = stream.imports(operator.platform, Account.generate("ACME"))
    async with await nats_rig.connect(nats_rig.system()) as system:
        await push_claims(system, operator.platform_jwt(stream.exports()))
        try:
            await push_claims(
                system, operator.account_jwt(thief, limits=PARTNER_LIMITS, imports=stolen)
            )
        except ClaimsRefused:
            return
    async with await nats_rig.connect(thief.credentials("thief", stream.permissions())) as client:
        with pytest.raises(ServiceUnavailableError):
            await client.jetstream(prefix=API_PREFIX).consumer_info(stream.stream, DURABLE)


async def _partner_reads(rig: NatsRig, stream: PartnerStream, partner: Account) -> None:
    async with await rig.connect(rig.administrator()) as platform:
        js = platform.jetstream()
        await js.add_stream(StreamConfig(name=stream.stream, subjects=[stream.subjects]))
        await js.add_consumer(
            stream.stream,
            ConsumerConfig(durable_name=DURABLE, name=DURABLE, ack_policy=AckPolicy.EXPLICIT),
        )
        await js.publish("fed.acme.conversation", b"clear part")
        agent = partner.credentials("agent", stream.permissions())
        async with await connect(
            rig.servers, user="agent", creds=agent.text, inbox="_INBOX"
        ) as client:
            theirs = client.jetstream(prefix=API_PREFIX)
            pull = await theirs.pull_subscribe_bind(consumer=DURABLE, stream=stream.stream)
            [message] = await pull.fetch(1, timeout=5)
            assert message.data == b"clear part"
            await message.ack_sync(timeout=5)
            assert (await theirs.consumer_info(stream.stream, DURABLE)).num_ack_pending == 0
            with pytest.raises(PermissionDenied):
                await theirs.stream_info(stream.stream)
            with pytest.raises(PermissionDenied):
                await client.jetstream().stream_info(stream.stream)


async def test_a_service_cannot_publish_as_another(nats_rig: NatsRig) -> None:
    async with await nats_rig.connect(nats_rig.service("routing")) as client:
        with pytest.raises(PermissionDenied, match=r"careline\.demo\.identity"):
            await client.jetstream().publish("careline.demo.identity.a.AgentSuspended", b"")


@pytest.mark.parametrize(
    "subject",
    [
        "$JS.API.STREAM.DELETE.CARELINE_ROUTING",
        "$JS.API.STREAM.PURGE.CARELINE_ROUTING",
        "$JS.API.STREAM.UPDATE.CARELINE_ROUTING",
        "$JS.API.STREAM.CREATE.CARELINE_ROUTING",
        "$JS.API.STREAM.MSG.DELETE.CARELINE_ROUTING",
        "$JS.API.STREAM.DELETE.CARELINE_IDENTITY",
        "$JS.API.STREAM.MSG.GET.CARELINE_IDENTITY",
        "$JS.API.DIRECT.GET.CARELINE_IDENTITY",
        "$JS.API.CONSUMER.CREATE.CARELINE_IDENTITY.routing_agents",
        "$JS.API.CONSUMER.CREATE.CARELINE_IDENTITY",
        "$JS.API.CONSUMER.DELETE.CARELINE_IDENTITY.audit_actions",
        "$JS.API.CONSUMER.DELETE.CARELINE_IDENTITY.routing_agents",
        "$JS.API.CONSUMER.MSG.NEXT.CARELINE_IDENTITY.audit_actions",
        "$JS.API.CONSUMER.RESET.CARELINE_IDENTITY.audit_actions",
        "$JS.ACK.CARELINE_IDENTITY.audit_actions.1.1.1.1.1",
        "$SYS.REQ.CLAIMS.UPDATE",
    ],
)
async def test_a_service_may_not_touch_what_is_not_its_own(nats_rig: NatsRig, subject: str) -> None:
    consumes = [Consumption("routing", "identity", "agents")]
    async with await nats_rig.connect(nats_rig.service("routing", consumes)) as client:
        with pytest.raises(PermissionDenied):
            await client.request(subject, b"{}", timeout=5)


async def test_a_service_cannot_listen_to_events_nor_to_anothers_answers(
    nats_rig: NatsRig,
) -> None:
    async with await nats_rig.connect(nats_rig.service("routing")) as client:
        for subject in ("careline.>", "_INBOX_identity.>", "_INBOX.>", "$JS.API.>"):
            with client.denials.watch(subject) as denied:
                await client.subscribe(subject)
                assert await denied == subject.lower()
