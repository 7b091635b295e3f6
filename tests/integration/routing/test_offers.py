"""A contact's way over gRPC: queued, offered to the longest idle, accepted or not, completed."""

import asyncio

import pytest
from careline.routing.events.v1.events_pb2 import AgentReleased, ContactOffered
from integration.bad_calls import refused
from integration.routing.rig import Client, Process
from integration.routing.steps import (
    ASSIGNED,
    COMPLETED,
    LEFT,
    OFFER_TIMEOUT,
    OFFERED,
    OFFLINE,
    QUEUED,
    accept,
    at_desk,
    available,
    complete,
    create_queue,
    decline,
    enqueue,
    lapse,
    leave,
    offer_of,
    offline,
    position,
    state,
)
from runtime.new_id import new_id


@pytest.fixture
async def queue(process: Process) -> str:
    return await create_queue(process)


@pytest.fixture
async def frontend(process: Process) -> Client:
    return await process.frontend()


@pytest.fixture
async def agent(process: Process) -> Client:
    return await process.agent()


async def test_a_contact_goes_from_the_queue_to_an_agent_and_is_completed(
    process: Process, frontend: Client, agent: Client, queue: str
) -> None:
    conversation = f"conversations/{new_id()}"
    contact = await enqueue(frontend, queue, conversation=conversation)
    waiting = await position(frontend, contact)
    await available(agent, queue)
    offer = await offer_of(agent)
    asked = await position(frontend, contact)
    accepted = await accept(agent, offer.name)
    completed = await complete(agent, contact)

    assert (waiting.contact.state, waiting.place) == (QUEUED, 1)
    assert (asked.contact.state, asked.place) == (OFFERED, 0)
    assert (offer.contact.name, offer.contact.conversation) == (contact, conversation)
    assert (offer.contact.queue, offer.contact.agent) == (queue, agent.name)
    assert (accepted.contact.state, accepted.contact.agent) == (ASSIGNED, agent.name)
    assert (completed.contact.state, completed.contact.etag) == (COMPLETED, "3")
    assert "longest idle of 1 able" in completed.contact.explanation
    assert await process.types(contact) == [
        "ContactEnqueued",
        "ContactOffered",
        "OfferAccepted",
        "ContactCompleted",
    ]
    assert await process.types(agent.name) == [
        "AgentAvailabilitySet",
        "AgentReserved",
        "AgentEngaged",
        "AgentReleased",
    ]


async def test_the_longest_idle_agent_is_asked_and_after_him_the_next(
    process: Process, frontend: Client, queue: str
) -> None:
    agents = [await process.agent() for _ in range(3)]
    for one in agents:
        await available(one, queue)
    contacts = []
    for one in agents:
        contacts.append(await enqueue(frontend, queue))
        assert (await offer_of(one)).contact.name == contacts[-1]
    # Who was done first has been idle longest now.
    for one in reversed(agents):
        await accept(one, (await offer_of(one)).name)
        await complete(one, contacts[agents.index(one)])
    again = await enqueue(frontend, queue)

    assert (await offer_of(agents[2])).contact.name == again


async def test_priority_goes_before_age_and_places_say_so(
    frontend: Client, agent: Client, queue: str
) -> None:
    first, second = await enqueue(frontend, queue), await enqueue(frontend, queue)
    urgent = await enqueue(frontend, queue, priority=9)

    places = [(await position(frontend, one)).place for one in (urgent, first, second)]
    assert places == [1, 2, 3]
    await available(agent, queue)
    for expected in (urgent, first, second):
        offer = await offer_of(agent)
        assert offer.contact.name == expected
        await accept(agent, offer.name)
        await complete(agent, expected)


async def test_an_agent_is_asked_for_his_own_queues_only(
    process: Process, frontend: Client, agent: Client, queue: str
) -> None:
    elsewhere = await create_queue(process)
    await available(agent, queue)
    other, own = await enqueue(frontend, elsewhere), await enqueue(frontend, queue)

    assert (await offer_of(agent)).contact.name == own
    assert await state(frontend, other) == QUEUED


async def test_an_agent_has_one_contact_at_a_time(
    process: Process, frontend: Client, agent: Client, queue: str
) -> None:
    await available(agent, queue)
    first, second = await enqueue(frontend, queue), await enqueue(frontend, queue)
    async with at_desk(agent) as desk:
        offer = await desk.next()
        await accept(agent, offer.name)
        assert (await desk.next()).contact.state == ASSIGNED
        # The boards have moved since, and nothing came of it.
        await create_queue(process)
        await desk.heartbeat()
        assert await state(frontend, second) == QUEUED
        await complete(agent, first)
        assert (await desk.next()).contact.name == second


async def test_a_declined_contact_keeps_its_place_and_goes_to_another_agent(
    process: Process, frontend: Client, agent: Client, queue: str
) -> None:
    await available(agent, queue)
    contact = await enqueue(frontend, queue)
    async with at_desk(agent) as desk:
        offer = await desk.next()
        other = await process.agent()
        await available(other, queue)
        await decline(agent, offer.name)
        gone = await desk.next()
        second = await offer_of(other)

    assert (gone.name, gone.withdrawn) == (offer.name, True)
    assert second.contact.name == contact
    assert second.name != offer.name
    assert (await refused(accept(agent, offer.name))).reason == "OFFER_GONE"
    assert (await accept(other, second.name)).contact.agent == other.name


async def test_an_unanswered_offer_times_out_and_its_agent_is_away_until_he_says_otherwise(
    process: Process, frontend: Client, agent: Client, queue: str
) -> None:
    await available(agent, queue)
    contact = await enqueue(frontend, queue)
    before = (await position(frontend, contact)).contact
    async with at_desk(agent) as desk:
        offer = await desk.next()
        await lapse(process)
        gone = await desk.next()
        after = await position(frontend, contact)
        assert (gone.name, gone.withdrawn, gone.contact.state) == (offer.name, True, QUEUED)
        assert (after.contact.state, after.place) == (QUEUED, 1)
        assert after.contact.enqueue_time == before.enqueue_time
        assert (await refused(accept(agent, offer.name))).reason == "OFFER_GONE"
        assert await process.types(agent.name) == [
            "AgentAvailabilitySet",
            "AgentReserved",
            "AgentReleased",
            "AgentAvailabilitySet",
        ]
        # He is asked nothing meanwhile.
        await create_queue(process)
        await desk.heartbeat()
        await available(agent, queue)
        again = await desk.next()
    assert again.contact.name == contact
    assert again.name != offer.name


async def test_an_offer_says_until_when_by_the_queues_own_timeout(
    process: Process, frontend: Client, agent: Client, queue: str
) -> None:
    await available(agent, queue)
    contact = await enqueue(frontend, queue)
    offer = await offer_of(agent)
    (offered,) = [one for one in await process.messages(contact) if isinstance(one, ContactOffered)]

    lasts = offer.expire_time.ToDatetime() - offered.offer_time.ToDatetime()
    assert lasts == OFFER_TIMEOUT


async def test_of_two_agents_who_accept_the_same_offer_at_once_one_wins(
    process: Process, frontend: Client, agent: Client, queue: str
) -> None:
    other = await process.agent()
    await available(agent, queue)
    await available(other, queue)
    contact = await enqueue(frontend, queue)
    offer = await offer_of(agent)

    answers = await asyncio.gather(
        accept(agent, offer.name), refused(accept(other, offer.name)), return_exceptions=True
    )

    assert answers[0].contact.agent == agent.name  # type: ignore[union-attr]
    assert answers[1].reason == "OFFER_GONE"  # type: ignore[union-attr]
    assert (await process.types(contact)).count("OfferAccepted") == 1
    assert await process.types(other.name) == ["AgentAvailabilitySet"]


async def test_of_two_screens_of_an_agent_who_accept_and_decline_at_once_one_wins(
    process: Process, frontend: Client, agent: Client, queue: str
) -> None:
    await available(agent, queue)
    for _ in range(10):
        contact = await enqueue(frontend, queue)
        offer = await offer_of(agent)

        answers = await asyncio.gather(
            accept(agent, offer.name), decline(agent, offer.name), return_exceptions=True
        )

        accepted, declined = (not isinstance(one, BaseException) for one in answers)
        assert accepted != declined
        if declined:
            # Nobody else is left, so he is asked again.
            await accept(agent, (await offer_of(agent)).name)
        await complete(agent, contact)
        types = await process.types(contact)
        assert types.count("OfferAccepted") == 1
        assert types.count("OfferDeclined") == int(declined)


async def test_who_leaves_while_an_agent_is_asked_frees_the_agent(
    process: Process, frontend: Client, agent: Client, queue: str
) -> None:
    await available(agent, queue)
    contact = await enqueue(frontend, queue)
    async with at_desk(agent) as desk:
        offer = await desk.next()
        left = await leave(frontend, contact)
        gone = await desk.next()
        following = await enqueue(frontend, queue)
        assert (await desk.next()).contact.name == following

    assert (left.contact.state, (await position(frontend, contact)).place) == (LEFT, 0)
    assert (gone.name, gone.withdrawn, gone.contact.state) == (offer.name, True, LEFT)
    released = [one for one in await process.messages(agent.name) if isinstance(one, AgentReleased)]
    assert [one.reason for one in released] == ["RESCINDED"]


async def test_contacts_that_leave_while_they_are_offered_keep_no_agent(
    process: Process, frontend: Client, queue: str
) -> None:
    agents = [await process.agent() for _ in range(4)]
    for one in agents:
        await available(one, queue)
    for _ in range(6):
        contacts = await asyncio.gather(*(enqueue(frontend, queue) for _ in agents))
        await asyncio.gather(*(leave(frontend, contact) for contact in contacts))
    last = [await enqueue(frontend, queue) for _ in agents]

    offers = await asyncio.gather(*(offer_of(one) for one in agents))

    assert sorted(offer.contact.name for offer in offers) == sorted(last)


async def test_an_offline_agent_is_asked_nothing_but_keeps_what_he_has(
    process: Process, frontend: Client, agent: Client, queue: str
) -> None:
    await available(agent, queue)
    first = await enqueue(frontend, queue)
    await accept(agent, (await offer_of(agent)).name)
    answer = await offline(agent)
    second = await enqueue(frontend, queue)
    await complete(agent, first)
    await create_queue(process)

    assert answer.availability == OFFLINE
    assert await state(frontend, second) == QUEUED
    await available(agent, queue)
    assert (await offer_of(agent)).contact.name == second


async def test_a_watch_shows_signs_of_life_with_and_without_an_offer(
    frontend: Client, agent: Client, queue: str
) -> None:
    async with at_desk(agent) as desk:
        await desk.heartbeat()
        await desk.heartbeat()
        await available(agent, queue)
        await enqueue(frontend, queue)
        await desk.next()
        await desk.heartbeat()
        await desk.heartbeat()


async def test_a_new_watch_finds_the_open_offer_and_then_the_contact_at_work(
    frontend: Client, agent: Client, queue: str
) -> None:
    await available(agent, queue)
    contact = await enqueue(frontend, queue)
    offer = await offer_of(agent)

    assert (await offer_of(agent)).name == offer.name
    await accept(agent, offer.name)
    working = await offer_of(agent)
    assert (working.name, working.contact.name) == ("", contact)
    assert working.contact.state == ASSIGNED
