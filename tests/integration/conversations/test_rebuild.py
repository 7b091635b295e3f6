"""The outbox rebuilt beside the live one: nothing is sent twice, nothing is lost."""

from integration.conversations.linking import ConversationLinks
from integration.conversations.rig import Process
from integration.conversations.steps import (
    agent_says,
    bot_says,
    close,
    delivering,
    hand_to,
    patient_says,
    report,
    start,
    wrap_up,
)
from integration.rebuilding import ReadModel
from runtime.new_id import new_id


async def test_what_waits_goes_on_waiting_and_what_was_sent_is_not_sent_again(
    process: Process,
) -> None:
    frontend = await process.frontend()
    outbox = ReadModel(process.serving.runtime, process.ground.database.engine, "outbox")
    name = await start(frontend)
    await bot_says(frontend, name, "One")
    async with delivering(frontend) as deliveries:
        (sent,) = await deliveries.next()
        await frontend.deliveries.AcknowledgeDelivery(report(sent.name))
    await bot_says(frontend, name, "Two")
    rebuilt = await outbox.rebuilt()
    assert rebuilt.verified, rebuilt.differences
    await bot_says(frontend, name, "Three")
    await outbox.switched()
    await bot_says(frontend, name, "Four")

    async with delivering(frontend) as deliveries:
        waiting = await deliveries.next(3)
        assert [one.text for one in waiting] == ["Two", "Three", "Four"]
        for one in waiting:
            await frontend.deliveries.AcknowledgeDelivery(report(one.name))
    await outbox.switched(1)
    await bot_says(frontend, name, "Five")
    async with delivering(frontend) as deliveries:
        assert [one.text for one in await deliveries.next()] == ["Five"]
        assert await deliveries.heartbeat() == []


async def test_who_is_erased_stays_erased_and_builds_are_equal_without_them(
    process: Process,
) -> None:
    frontend = await process.frontend()
    outbox = ReadModel(process.serving.runtime, process.ground.database.engine, "outbox")
    name, patient = await start(frontend), f"patients/{new_id()}"
    await ConversationLinks(process, frontend).link(name, patient)
    await bot_says(frontend, name, "Your test was positive")
    async with delivering(frontend) as deliveries:
        (sent,) = await deliveries.next()
        await frontend.deliveries.AcknowledgeDelivery(report(sent.name))
    await bot_says(frontend, name, "Please call us")
    reached = [event.position async for event in process.serving.runtime.log.read_log()][-1]
    await process.read_models_reach(reached)
    await process.ground.erase(patient)

    rebuilt = await outbox.rebuilt()
    assert rebuilt.verified, rebuilt.differences
    place = rebuilt.build.place
    found = await process.ground.rows(
        f"select 1 from {place}.outbox where conversation = :name",  # noqa: S608
        name=name,
    )
    assert found == []


async def test_the_list_comes_out_equal_and_goes_on_after_a_switch(process: Process) -> None:
    frontend, agent = await process.frontend(), await process.agent()
    listing = ReadModel(process.serving.runtime, process.ground.database.engine, "listing")
    name = await start(frontend)
    await patient_says(frontend, name, "Hi")
    await hand_to(process, frontend, agent, name)
    rebuilt = await listing.rebuilt()
    assert rebuilt.verified, rebuilt.differences
    await listing.switched()
    await agent_says(agent, name, "Good morning")
    await wrap_up(agent, name)
    closed = await close(agent, name)
    await process.row_reaches(name, int(closed.conversation.etag))
