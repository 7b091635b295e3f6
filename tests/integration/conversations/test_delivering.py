"""What frontends send out: each its own, at least once, in order, until they say what became."""

import asyncio
from datetime import UTC, datetime

import pytest
from careline.conversations.events.v1.events_pb2 import DeliveryReported
from careline.conversations.v1 import delivery_service_pb2 as api
from conversations.adapters.outbox_rows import forget_sent
from integration.conversations.linking import ConversationLinks
from integration.conversations.rig import Client, Ground, Process, process_on
from integration.conversations.steps import (
    CHAT,
    DELIVERED,
    FAILED,
    PHONE,
    SENT,
    SMS,
    VOICE,
    agent_says,
    bot_says,
    close,
    delivering,
    hand_to,
    join,
    patient_says,
    report,
    start,
    wrap_up,
)
from integration.refusals import refusal, violation
from integration.runtime.rig import eventually
from runtime.new_id import new_id


@pytest.fixture
async def frontend(process: Process) -> Client:
    return await process.frontend()


async def outbox(ground: Ground, name: str) -> list[tuple[str, bool]]:
    rows = await ground.rows(
        "select status, sealed_text is null from conversations.outbox"
        " where conversation = :name order by position",
        name=name,
    )
    return [tuple(row) for row in rows]


async def delivery_of(frontend: Client, name: str, text: str = "Hello") -> api.Delivery:
    await bot_says(frontend, name, text)
    async with delivering(frontend) as deliveries:
        while True:
            for delivery in await deliveries.next():
                if (delivery.conversation, delivery.text) == (name, text):
                    return delivery


async def test_what_goes_out_is_pushed_to_its_frontend(frontend: Client) -> None:
    async with delivering(frontend) as deliveries:
        assert await deliveries.heartbeat() == []
        name = await start(frontend)
        await patient_says(frontend, name, "Hi")
        posted = await bot_says(frontend, name, "Hello")
        async with asyncio.timeout(5):
            (delivery,) = await deliveries.next()

    assert (delivery.conversation, delivery.message) == (name, posted.message)
    assert (delivery.channel, delivery.address, delivery.text) == (SMS, PHONE, "Hello")
    assert delivery.one_time_code == ""
    assert delivery.expire_time.ToDatetime(UTC) > datetime.now(UTC)


async def test_an_agents_words_go_to_the_frontend_of_the_channel_and_nobody_else(
    process: Process, frontend: Client
) -> None:
    agent, chat, stranger = (
        await process.agent(),
        await process.frontend("CHAT"),
        await process.frontend(),
    )
    name = await start(frontend)
    await hand_to(process, frontend, agent, name)
    await agent_says(agent, name, "By text")
    await join(chat, name, CHAT, "chat-7")
    await agent_says(agent, name, "By chat")

    async with (
        delivering(frontend) as to_sms,
        delivering(chat) as to_chat,
        delivering(stranger) as to_nobody,
    ):
        (by_text,) = await to_sms.next()
        (by_chat,) = await to_chat.next()
        assert await to_nobody.heartbeat() == []
    assert (by_text.text, by_text.channel) == ("By text", SMS)
    assert (by_chat.text, by_chat.channel, by_chat.address) == ("By chat", CHAT, "chat-7")
    assert await refusal(chat.deliveries.AcknowledgeDelivery(report(by_text.name))) == (
        "DENIED_OR_ABSENT"
    )


async def test_what_is_not_acknowledged_comes_again_and_in_order(
    process: Process, frontend: Client
) -> None:
    name = await start(frontend)
    texts = [f"Line {number}" for number in range(100)]
    for text in texts:
        await bot_says(frontend, name, text)
    async with delivering(frontend) as deliveries:
        first = await deliveries.next(100)
    async with (
        process_on(process.ground) as other,
        delivering(await other.same(frontend)) as deliveries,
    ):
        again = await deliveries.next(100)

    assert [delivery.text for delivery in first] == texts
    assert [delivery.name for delivery in again] == [delivery.name for delivery in first]


async def test_a_frontend_takes_the_channels_it_asks_for(frontend: Client) -> None:
    name = await start(frontend)
    await join(frontend, name)
    await bot_says(frontend, name, "By text")
    await bot_says(frontend, name, "By chat", CHAT)

    async with delivering(frontend, [CHAT]) as deliveries:
        (only,) = await deliveries.heartbeat()
    assert only.text == "By chat"


async def test_channels_and_purposes_are_checked(process: Process) -> None:
    sms, aimless = await process.frontend("SMS"), await process.frontend(purpose="")
    agent, frontend = await process.agent(), await process.frontend()
    for watcher, channels, reason in (
        (sms, [VOICE], "DENIED_OR_ABSENT"),
        (aimless, [], "PURPOSE_OF_USE_REQUIRED"),
        (agent, [], "DENIED_OR_ABSENT"),
    ):
        async with delivering(watcher, channels) as deliveries:
            assert await refusal(deliveries.next()) == reason
    async with delivering(frontend, [77]) as deliveries:  # type: ignore[list-item]  # of a newer client
        assert await violation(deliveries.next()) == "channels"


async def test_sent_leaves_a_slim_row_until_the_end_is_told(
    process: Process, frontend: Client
) -> None:
    name = await start(frontend)
    delivery = await delivery_of(frontend, name)
    sent = await frontend.deliveries.AcknowledgeDelivery(report(delivery.name))
    await process.read_models_reach(sent.position)
    assert await outbox(process.ground, name) == [("SENT", True)]
    async with delivering(frontend) as deliveries:
        assert await deliveries.heartbeat() == []

    done = await frontend.deliveries.AcknowledgeDelivery(report(delivery.name, DELIVERED))
    await process.read_models_reach(done.position)
    assert await outbox(process.ground, name) == []
    told = [one for one in await process.messages(name) if isinstance(one, DeliveryReported)]
    assert [one.status for one in told] == ["SENT", "DELIVERED"]


async def test_a_repeated_report_is_answered_alike_when_the_row_is_gone(
    process: Process, frontend: Client
) -> None:
    name = await start(frontend)
    delivery = await delivery_of(frontend, name)
    request = report(delivery.name, FAILED, "UNREACHABLE")
    first = await frontend.deliveries.AcknowledgeDelivery(request)
    await process.read_models_reach(first.position)

    assert await frontend.deliveries.AcknowledgeDelivery(request) == first
    request.failure_code = "REJECTED"
    refused = await refusal(frontend.deliveries.AcknowledgeDelivery(request))
    assert refused == "REQUEST_ID_REUSED"
    late = frontend.deliveries.AcknowledgeDelivery(report(delivery.name))
    assert await refusal(late) == "DENIED_OR_ABSENT"


async def test_the_last_message_is_reported_also_after_the_end(
    process: Process, frontend: Client
) -> None:
    agent, name = await process.agent(), await start(frontend)
    await hand_to(process, frontend, agent, name)
    await agent_says(agent, name, "Good-bye")
    await wrap_up(agent, name)
    closed = await close(agent, name)
    await process.read_models_reach(closed.position)
    async with delivering(frontend) as deliveries:
        (delivery,) = await deliveries.next()
    assert (delivery.text, delivery.address) == ("Good-bye", PHONE)

    done = await frontend.deliveries.AcknowledgeDelivery(report(delivery.name, DELIVERED))
    await process.read_models_reach(done.position)

    assert await outbox(process.ground, name) == []
    addresses = await process.ground.rows(
        "select 1 from conversations.channel_address where conversation = :name", name=name
    )
    assert addresses == []


async def test_reports_are_checked(frontend: Client) -> None:
    name = await start(frontend)
    delivery = await delivery_of(frontend, name)
    tell = frontend.deliveries.AcknowledgeDelivery
    unset = api.AcknowledgeDeliveryRequest.STATUS_UNSPECIFIED

    assert await violation(tell(report(delivery.name, unset))) == "status"
    assert await violation(tell(report(delivery.name, FAILED))) == "failure_code"
    assert await violation(tell(report(delivery.name, FAILED, "WHIM"))) == "failure_code"
    assert await violation(tell(report(delivery.name, SENT, "OTHER"))) == "failure_code"
    assert await violation(tell(report("deliveries/1"))) == "delivery"
    assert await refusal(tell(report(f"deliveries/{new_id()}"))) == "DENIED_OR_ABSENT"


async def test_what_nobody_takes_in_time_is_given_up(ground: Ground) -> None:
    async with process_on(
        ground, delivery_lifetime_seconds=0.3, expiry_interval_seconds=0.1
    ) as process:
        frontend = await process.frontend()
        name = await start(frontend)
        await bot_says(frontend, name, "Hello")

        async def given_up() -> bool:
            return isinstance((await process.messages(name))[-1], DeliveryReported)

        await eventually(given_up)
        (*_, told) = await process.messages(name)
        assert isinstance(told, DeliveryReported)
        assert (told.status, told.failure_code) == ("FAILED", "EXPIRED")

        async def gone() -> bool:
            return await outbox(ground, name) == []

        await eventually(gone)
        assert len(await process.events(name)) == 5


async def test_what_was_sent_is_kept_for_a_day(process: Process, frontend: Client) -> None:
    name = await start(frontend)
    delivery = await delivery_of(frontend, name)
    sent = await frontend.deliveries.AcknowledgeDelivery(report(delivery.name))
    await process.read_models_reach(sent.position)
    (row,) = await process.ground.rows(
        "select report_time from conversations.outbox where conversation = :name", name=name
    )
    for before, kept in ((row.report_time, 1), (datetime.now(UTC), 0)):
        async with process.ground.database.engine.begin() as connection:
            await forget_sent(connection, before)
        assert len(await outbox(process.ground, name)) == kept


async def test_what_was_erased_is_not_sent(process: Process, frontend: Client) -> None:
    name, patient = await start(frontend), f"patients/{new_id()}"
    await ConversationLinks(process, frontend).link(name, patient)
    await bot_says(frontend, name, "Your test was positive")
    await process.read_models_reach((await process.events(name))[-1].position)
    await process.ground.erase(patient)

    async with delivering(frontend) as deliveries:
        assert await deliveries.heartbeat() == []


async def test_another_process_finds_what_was_queued_here(ground: Ground) -> None:
    async with process_on(ground) as here, process_on(ground) as there:
        frontend = await here.frontend()
        name = await start(frontend)
        async with delivering(await there.same(frontend)) as deliveries:
            await bot_says(frontend, name, "Hello")
            async with asyncio.timeout(5):
                (delivery,) = await deliveries.next()

    assert delivery.text == "Hello"


async def test_two_tenants_with_the_same_frontend_name_share_nothing(process: Process) -> None:
    frontend = await process.frontend()
    namesake = await process.client(
        type(frontend.principal)(
            frontend.principal.kind,
            frontend.principal.name,
            frozenset({"other"}),
            channels=frontend.principal.channels,
        ),
        frontend.call_for,
    )
    name = await start(frontend)
    delivery = await delivery_of(frontend, name)

    async with delivering(namesake) as deliveries:
        assert await deliveries.heartbeat() == []
    told = namesake.deliveries.AcknowledgeDelivery(report(delivery.name))
    assert await refusal(told) == "DENIED_OR_ABSENT"
