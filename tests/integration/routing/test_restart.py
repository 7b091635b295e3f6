"""The service stops in the middle of everything and starts again: nothing lost, nothing twice."""

import asyncio

from integration.routing.rig import Client, Ground, Process, process_on
from integration.routing.steps import (
    ASSIGNED,
    OFFER_TIMEOUT,
    QUEUED,
    accept,
    at_desk,
    available,
    complete,
    create_queue,
    enqueue,
    offer_of,
    position,
)


async def same(process: Process, *clients: Client) -> list[Client]:
    return [await process.client(one.principal) for one in clients]


async def test_work_offers_and_places_outlive_the_process(ground: Ground) -> None:
    async with process_on(ground) as process:
        queue = await create_queue(process)
        frontend, busy, asked = (
            await process.frontend(),
            await process.agent(),
            await process.agent(),
        )
        await available(busy, queue)
        worked = await enqueue(frontend, queue)
        await accept(busy, (await offer_of(busy)).name)
        await available(asked, queue)
        offered = await enqueue(frontend, queue)
        offer = await offer_of(asked)
        waiting = [await enqueue(frontend, queue) for _ in range(2)]
        before = await process.log()
    async with process_on(ground) as process:
        frontend, busy, asked = await same(process, frontend, busy, asked)
        places = [(await position(frontend, one)).place for one in waiting]
        resumed, again = await offer_of(busy), await offer_of(asked)
        # All of it was read back, and nothing decided anew.
        assert await process.log() == before
        assert places == [1, 2]
        assert (resumed.contact.name, resumed.contact.state) == (worked, ASSIGNED)
        assert (again.name, again.expire_time) == (offer.name, offer.expire_time)
        await accept(asked, offer.name)
        await complete(busy, worked)
        assert (await offer_of(busy)).contact.name == waiting[0]
        assert (await process.types(offered)).count("ContactOffered") == 1


async def test_an_offer_that_lapsed_while_the_service_was_away_times_out_at_its_start(
    ground: Ground,
) -> None:
    async with process_on(ground) as process:
        queue = await create_queue(process)
        frontend, agent = await process.frontend(), await process.agent()
        await available(agent, queue)
        contact = await enqueue(frontend, queue)
        offer = await offer_of(agent)
    ground.clock.advance(OFFER_TIMEOUT)
    async with process_on(ground) as process:
        frontend, agent, other = (
            *await same(process, frontend, agent),
            await process.agent(),
        )
        await available(other, queue)
        second = await offer_of(other)
        types = await process.types(contact)

    assert (second.contact.name, second.name != offer.name) == (contact, True)
    assert types == ["ContactEnqueued", "ContactOffered", "OfferTimedOut", "ContactOffered"]


async def test_who_watches_is_cut_off_and_finds_the_same_offer_at_the_next_process(
    ground: Ground,
) -> None:
    async with process_on(ground) as process:
        queue = await create_queue(process)
        frontend, agent = await process.frontend(), await process.agent()
        await available(agent, queue)
        contact = await enqueue(frontend, queue)
        async with at_desk(agent) as desk:
            offer = await desk.next()
    async with process_on(ground) as process:
        (agent,) = await same(process, agent)
        assert (await offer_of(agent)).name == offer.name
        assert (await accept(agent, offer.name)).contact.name == contact


async def test_two_processes_decide_at_once_and_ask_nobody_twice(ground: Ground) -> None:
    async with process_on(ground) as one, process_on(ground) as two:
        queue = await create_queue(one)
        agents = [await (one, two)[n % 2].agent() for n in range(8)]
        frontends = [await one.frontend(), await two.frontend()]
        await asyncio.gather(
            *(available(agent, queue) for agent in agents),
            *(enqueue(frontends[n % 2], queue) for n in range(12)),
        )
        offers = await asyncio.gather(*(offer_of(agent) for agent in agents))
        await asyncio.gather(
            *(accept(agent, offer.name) for agent, offer in zip(agents, offers, strict=True))
        )
        contacts = {offer.contact.name for offer in offers}
        types = [await one.types(contact) for contact in contacts]
        asked = [await one.types(agent.name) for agent in agents]

    assert len(contacts) == len(agents)
    assert types == [["ContactEnqueued", "ContactOffered", "OfferAccepted"]] * len(agents)
    assert asked == [["AgentAvailabilitySet", "AgentReserved", "AgentEngaged"]] * len(agents)


async def test_a_place_answered_by_one_process_is_known_to_the_other(ground: Ground) -> None:
    async with process_on(ground) as one, process_on(ground) as two:
        queue = await create_queue(one)
        here = await one.frontend()
        (there,) = await same(two, here)
        for expected in range(1, 6):
            contact = await enqueue(here, queue)
            found = await position(there, contact)
            assert (found.contact.state, found.place) == (QUEUED, expected)
