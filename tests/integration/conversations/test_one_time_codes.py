"""One-time codes: to the right frontend and nobody else, in no log, gone when sent or ended."""

import asyncio

import pytest
from integration.conversations.rig import Client, Ground, Process, process_on
from integration.conversations.steps import (
    CHAT,
    DELIVERED,
    PHONE,
    SMS,
    VOICE,
    close,
    code,
    delivering,
    join,
    report,
    start,
)
from integration.refusals import refusal, violation
from integration.runtime.rig import eventually
from runtime.new_id import new_id

SECRET = "739154"


@pytest.fixture
async def identity(process: Process) -> Client:
    return await process.service("identity")


@pytest.fixture
async def frontend(process: Process) -> Client:
    return await process.frontend()


async def kept(ground: Ground, delivery: str) -> list[tuple[bool, bool]]:
    rows = await ground.rows(
        "select sealed_code is null, sealed_address is null from conversations.one_time_code"
        " where delivery = :delivery",
        delivery=delivery,
    )
    return [tuple(row) for row in rows]


async def test_a_code_is_pushed_to_the_frontend_of_its_channel(
    process: Process, identity: Client, frontend: Client
) -> None:
    name, stranger = await start(frontend), await process.frontend()
    async with delivering(frontend) as own, delivering(stranger) as others:
        assert await own.heartbeat() == []
        answer = await identity.deliveries.EnqueueCode(code(name, text=SECRET))
        async with asyncio.timeout(5):
            (delivery,) = await own.next()
        assert await others.heartbeat() == []

    assert (delivery.name, delivery.conversation) == (answer.delivery, name)
    assert (delivery.channel, delivery.address, delivery.one_time_code) == (SMS, PHONE, SECRET)
    assert (delivery.text, delivery.message) == ("", "")


async def test_only_identity_sends_codes(process: Process, frontend: Client) -> None:
    name = await start(frontend)
    for caller in (
        frontend,
        await process.agent(),
        await process.service("routing"),
        await process.service("identity", tenant="other"),
    ):
        assert await refusal(caller.deliveries.EnqueueCode(code(name))) == "DENIED_OR_ABSENT"


async def test_a_caller_can_be_texted_by_a_frontend_that_serves_sms_too(
    process: Process, identity: Client
) -> None:
    both, voice = await process.frontend("VOICE", "SMS"), await process.frontend("VOICE")
    by_both = await start(both, VOICE)
    by_voice = await start(voice, VOICE)
    await identity.deliveries.EnqueueCode(code(by_both))
    async with delivering(both) as deliveries:
        (delivery,) = await deliveries.next()
    assert (delivery.conversation, delivery.channel) == (by_both, SMS)

    texted = identity.deliveries.EnqueueCode(code(by_voice))
    assert await refusal(texted) == "CODE_UNDELIVERABLE"
    await identity.deliveries.EnqueueCode(code(by_voice, channel=VOICE))
    async with delivering(voice) as deliveries:
        (delivery,) = await deliveries.next()
    assert delivery.channel == VOICE


async def test_a_joined_channels_frontend_comes_before_the_starter(
    process: Process, identity: Client, frontend: Client
) -> None:
    sms, name = await process.frontend("SMS"), await start(frontend, VOICE)
    await join(sms, name, SMS, PHONE)
    await identity.deliveries.EnqueueCode(code(name))

    async with delivering(sms) as deliveries:
        assert len(await deliveries.next()) == 1
    async with delivering(frontend) as deliveries:
        assert await deliveries.heartbeat() == []


async def test_a_repeated_request_is_one_code(
    process: Process, identity: Client, frontend: Client
) -> None:
    name = await start(frontend)
    request = code(name)
    first = await identity.deliveries.EnqueueCode(request)

    assert await identity.deliveries.EnqueueCode(request) == first
    async with delivering(frontend) as deliveries:
        assert len(await deliveries.heartbeat()) == 1
    request.one_time_code = "000000"
    assert await refusal(identity.deliveries.EnqueueCode(request)) == "REQUEST_ID_REUSED"
    assert await kept(process.ground, first.delivery) == [(False, False)]


async def test_a_code_that_was_sent_is_deleted_and_stays_acknowledged(
    process: Process, identity: Client, frontend: Client
) -> None:
    name = await start(frontend)
    request = code(name)
    delivery = (await identity.deliveries.EnqueueCode(request)).delivery
    stranger = await process.frontend()
    assert await refusal(stranger.deliveries.AcknowledgeDelivery(report(delivery))) == (
        "DENIED_OR_ABSENT"
    )
    told = report(delivery)
    before = len(await process.events(name))

    assert (await frontend.deliveries.AcknowledgeDelivery(told)).position == 0
    assert await kept(process.ground, delivery) == [(True, True)]
    assert (await frontend.deliveries.AcknowledgeDelivery(told)).position == 0
    later = await frontend.deliveries.AcknowledgeDelivery(report(delivery, DELIVERED))
    assert later.position == 0
    assert (await identity.deliveries.EnqueueCode(request)).delivery == delivery
    async with delivering(frontend) as deliveries:
        assert await deliveries.heartbeat() == []
    assert len(await process.events(name)) == before


async def test_a_code_that_has_ended_is_deleted(
    process: Process, identity: Client, frontend: Client
) -> None:
    name = await start(frontend)
    delivery = (await identity.deliveries.EnqueueCode(code(name, seconds=0.3))).delivery

    async def gone() -> bool:
        return await kept(process.ground, delivery) == []

    await eventually(gone)
    async with delivering(frontend) as deliveries:
        assert await deliveries.heartbeat() == []
    told = frontend.deliveries.AcknowledgeDelivery(report(delivery))
    assert await refusal(told) == "DENIED_OR_ABSENT"


async def test_another_process_finds_the_code(ground: Ground) -> None:
    async with process_on(ground) as here, process_on(ground) as there:
        identity, frontend = await here.service("identity"), await here.frontend()
        name = await start(frontend)
        async with delivering(await there.same(frontend)) as deliveries:
            await identity.deliveries.EnqueueCode(code(name))
            async with asyncio.timeout(5):
                (delivery,) = await deliveries.next()

    assert delivery.one_time_code


async def test_fields_are_checked(process: Process, identity: Client, frontend: Client) -> None:
    name = await start(frontend)
    enqueue = identity.deliveries.EnqueueCode
    unnamed, unaddressed = code(name), code(name)
    unnamed.ClearField("channel")
    unaddressed.address = "nowhere"
    nowhere = code(f"conversations/{new_id()}")
    beyond_time = code(name)
    beyond_time.expire_time.seconds = 1 << 60

    assert await violation(enqueue(code(name, text="12"))) == "one_time_code"
    assert await violation(enqueue(code(name, text="12 456"))) == "one_time_code"
    assert await violation(enqueue(unnamed)) == "channel"
    assert await violation(enqueue(unaddressed)) == "address"
    assert await violation(enqueue(code(name, seconds=-1))) == "expire_time"
    assert await violation(enqueue(code(name, seconds=3600))) == "expire_time"
    assert await violation(enqueue(beyond_time)) == "expire_time"
    assert await violation(enqueue(code("conversations/1"))) == "conversation"
    assert await refusal(enqueue(nowhere)) == "DENIED_OR_ABSENT"
    assert await refusal(enqueue(code(name, channel=CHAT))) == "FIELD_INVALID"
    of_no_tenant = await process.service("identity", tenant="")
    assert await refusal(of_no_tenant.deliveries.EnqueueCode(code(name))) == "FIELD_INVALID"
    requestless = code(name)
    requestless.request_id = ""
    assert await refusal(enqueue(requestless)) == "REQUEST_ID_REQUIRED"
    await close(frontend, name)
    assert await refusal(enqueue(code(name))) == "CONVERSATION_STATE"
