"""What routing refuses, by which code and reason, and that nothing comes of it."""

from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from careline.routing.v1 import agent_desk_service_pb2 as desk_pb2
from careline.routing.v1 import queue_service_pb2 as queues_pb2
from integration.bad_calls import REFUSALS, BadCall, refused
from integration.routing.rig import Client, Ground, Process, process_on, request_id
from integration.routing.steps import (
    AVAILABLE,
    accept,
    available,
    complete,
    create_queue,
    decline,
    enqueue,
    entry,
    leave,
    new_queue,
    offer_of,
    offline,
    position,
)
from runtime.outgoing import CallFor
from runtime.principal import PrincipalKind

CANARY = "Jane Doe 1985"
ABSENT = "01970000-0000-7000-8000-000000000000"
Call = Callable[[Client], Awaitable[Any]]
STATE, INVALID = "FAILED_PRECONDITION", "INVALID_ARGUMENT"
DENIED = ("PERMISSION_DENIED", "DENIED_OR_ABSENT")


@pytest.fixture
async def queue(process: Process) -> str:
    return await create_queue(process)


@pytest.fixture
async def frontend(process: Process) -> Client:
    return await process.frontend()


@pytest.fixture
async def agent(process: Process) -> Client:
    return await process.agent()


@pytest.mark.parametrize("how", BadCall)
@pytest.mark.parametrize(
    ("method", "kind"),
    [
        ("RoutingService/Enqueue", PrincipalKind.FRONTEND),
        ("AgentDeskService/SetAvailability", PrincipalKind.AGENT),
        ("AgentDeskService/WatchOffers", PrincipalKind.AGENT),
        ("QueueService/CreateQueue", PrincipalKind.OPERATOR),
    ],
)
async def test_a_bad_call_is_refused_before_anything_is_done(
    process: Process, how: BadCall, method: str, kind: PrincipalKind
) -> None:
    client = await {
        PrincipalKind.FRONTEND: process.frontend,
        PrincipalKind.AGENT: process.agent,
        PrincipalKind.OPERATOR: process.operator,
    }[kind]()
    async with process.unchanged():
        refusal = await process.caller(client.principal).calls_badly(
            how, f"careline.routing.v1.{method}"
        )

    assert refusal.why == REFUSALS[how]


@pytest.mark.parametrize(
    ("field", "call"),
    [
        ("conversation", lambda one: one.routing.Enqueue(entry("queues/a", conversation=CANARY))),
        ("queue", lambda one: one.routing.Enqueue(entry(f"queues/{CANARY}"))),
        ("priority", lambda one: one.routing.Enqueue(entry("queues/a", priority=10))),
        ("priority", lambda one: one.routing.Enqueue(entry("queues/a", priority=-1))),
        ("contact", lambda one: position(one, CANARY)),
        ("contact", lambda one: position(one, "")),
        ("contact", lambda one: leave(one, f"contacts/{CANARY}")),
        ("reason", lambda one: leave(one, f"contacts/{ABSENT}", CANARY)),
        ("reason", lambda one: leave(one, f"contacts/{ABSENT}", "CALLBACK")),
    ],
)
async def test_a_malformed_field_of_a_frontend_is_named_and_not_repeated(
    process: Process, frontend: Client, field: str, call: Call
) -> None:
    async with process.unchanged():
        refusal = await refused(call(frontend))

    assert refusal.why == (INVALID, "FIELD_INVALID")
    assert refusal.fields == (field,)
    assert CANARY not in refusal.text


@pytest.mark.parametrize(
    ("field", "call"),
    [
        (
            "availability",
            lambda one: one.desk.SetAvailability(
                desk_pb2.SetAvailabilityRequest(request_id=request_id())
            ),
        ),
        (
            "availability",
            lambda one: one.desk.SetAvailability(
                desk_pb2.SetAvailabilityRequest(
                    request_id=request_id(), availability=desk_pb2.AVAILABILITY_AWAY
                )
            ),
        ),
        ("queues", available),
        ("queues", lambda one: available(one, f"queues/{CANARY}")),
        ("queues", lambda one: available(one, *(f"queues/{n}" for n in range(51)))),
        ("offer", lambda one: accept(one, CANARY)),
        ("offer", lambda one: decline(one, "contacts/1")),
        ("contact", lambda one: complete(one, CANARY)),
    ],
)
async def test_a_malformed_field_of_an_agent_is_named_and_not_repeated(
    process: Process, agent: Client, field: str, call: Call
) -> None:
    async with process.unchanged():
        refusal = await refused(call(agent))

    assert refusal.why == (INVALID, "FIELD_INVALID")
    assert refusal.fields == (field,)
    assert CANARY not in refusal.text


@pytest.mark.parametrize(
    ("field", "changes"),
    [
        ("queue.name", {"name": CANARY}),
        ("queue.display_name", {"display_name": " "}),
        ("queue.display_name", {"display_name": "x" * 101}),
        ("queue.offer_timeout", {"seconds": 4}),
        ("queue.offer_timeout", {"seconds": 121}),
        ("queue.offer_timeout", {"seconds": -5}),
        ("queue.offer_timeout", {"seconds": 2**62}),
    ],
)
async def test_a_malformed_queue_is_named_by_its_field(
    process: Process, field: str, changes: dict[str, Any]
) -> None:
    operator = await process.operator()
    request = new_queue()
    seconds = changes.pop("seconds", None)
    if seconds is not None:
        request.queue.offer_timeout.seconds = seconds
    request.queue.MergeFrom(queues_pb2.Queue(**changes))
    async with process.unchanged():
        refusal = await refused(operator.queues.CreateQueue(request))

    assert (refusal.why, refusal.fields) == ((INVALID, "FIELD_INVALID"), (field,))
    assert CANARY not in refusal.text


@pytest.mark.parametrize(
    ("given", "reason"),
    [("", "REQUEST_ID_REQUIRED"), (CANARY, "FIELD_INVALID"), ("0" * 32, "FIELD_INVALID")],
)
async def test_a_mutation_needs_a_request_id(
    process: Process, frontend: Client, queue: str, given: str, reason: str
) -> None:
    request = entry(queue)
    request.request_id = given
    async with process.unchanged():
        refusal = await refused(frontend.routing.Enqueue(request))

    assert refusal.why == (INVALID, reason)
    assert CANARY not in refusal.text


async def test_a_list_is_asked_for_in_pages_that_exist(process: Process) -> None:
    operator = await process.operator()
    list_queues = operator.queues.ListQueues

    refusal = await refused(list_queues(queues_pb2.ListQueuesRequest(page_size=-1)))
    assert (refusal.reason, refusal.fields) == ("FIELD_INVALID", ("page_size",))
    refusal = await refused(list_queues(queues_pb2.ListQueuesRequest(page_token=CANARY)))
    assert refusal.why == (INVALID, "PAGE_TOKEN_INVALID")
    assert CANARY not in refusal.text


async def test_what_is_not_there_is_denied_or_absent(
    process: Process, frontend: Client, agent: Client
) -> None:
    absent = f"contacts/{ABSENT}"
    async with process.unchanged():
        for call in (position(frontend, absent), leave(frontend, absent), complete(agent, absent)):
            assert (await refused(call)).why == DENIED
        for offer in (accept(agent, f"offers/{ABSENT}"), decline(agent, f"offers/{ABSENT}")):
            assert (await refused(offer)).why == (STATE, "OFFER_GONE")
        for queue in (enqueue(frontend, "queues/none"), available(agent, "queues/none")):
            assert (await refused(queue)).why == (INVALID, "QUEUE_UNKNOWN")


async def test_a_contact_does_what_its_state_allows(
    process: Process, frontend: Client, agent: Client, queue: str
) -> None:
    other = await process.agent()
    await available(agent, queue)
    contact = await enqueue(frontend, queue)
    offer = await offer_of(agent)
    async with process.unchanged():
        assert (await refused(complete(agent, contact))).why == (STATE, "CONTACT_STATE")
        assert (await refused(complete(other, contact))).why == DENIED
        assert (await refused(accept(other, offer.name))).why == (STATE, "OFFER_GONE")
        assert (await refused(decline(other, offer.name))).why == (STATE, "OFFER_GONE")
    await accept(agent, offer.name)
    async with process.unchanged():
        assert (await refused(leave(frontend, contact))).why == (STATE, "CONTACT_STATE")
        assert (await refused(decline(agent, offer.name))).why == (STATE, "OFFER_GONE")
        assert (await refused(complete(other, contact))).why == DENIED
    await complete(agent, contact)
    async with process.unchanged():
        assert (await refused(leave(frontend, contact))).why == (STATE, "CONTACT_STATE")
        assert (await refused(accept(agent, offer.name))).why == (STATE, "OFFER_GONE")
    await offline(agent)


async def test_a_queues_name_is_taken_once(process: Process) -> None:
    operator = await process.operator()
    request = new_queue()
    await operator.queues.CreateQueue(request)
    request.request_id, request.queue.display_name = request_id(), "Billing"
    async with process.unchanged():
        refusal = await refused(operator.queues.CreateQueue(request))

    assert refusal.why == ("ALREADY_EXISTS", "NAME_TAKEN")


async def test_who_may_not_is_denied_and_remembered_and_nothing_else_happens(
    ground: Ground,
) -> None:
    # A process of its own: of all refusals in a second no more than twenty are remembered.
    async with process_on(ground) as process:
        queue = await create_queue(process)
        frontend, agent = await process.frontend(), await process.agent()
        contact = await enqueue(frontend, queue)
        auditor, supervisor = await process.agent("auditor"), await process.agent("supervisor")
        operator, service = await process.operator(), await process.service("conversations")
        # Before the calls are made: some are under way from then on.
        before = len(await process.refusals())
        calls: dict[str, tuple[Client, Awaitable[Any]]] = {
            "routing.setAvailability": (frontend, available(frontend, queue)),
            "routing.acceptOffer": (auditor, accept(auditor, f"offers/{ABSENT}")),
            "routing.watchOffers": (operator, offer_of(operator)),
            "routing.completeWork": (supervisor, complete(supervisor, contact)),
            "routing.createQueue": (agent, agent.queues.CreateQueue(new_queue())),
            "routing.listQueues": (
                frontend,
                frontend.queues.ListQueues(queues_pb2.ListQueuesRequest()),
            ),
            "routing.enqueue": (operator, enqueue(operator, queue)),
            "routing.leaveQueue": (service, leave(service, contact)),
            "routing.getPosition": (auditor, position(auditor, contact)),
        }
        async with process.unchanged():
            for _, call in calls.values():
                assert (await refused(call)).why == DENIED

        remembered = {
            (one.action, one.principal.name) for one in (await process.refusals())[before:]
        }
        assert remembered == {(action, who.name) for action, (who, _) in calls.items()}


async def test_a_purpose_of_use_that_nobody_knows_is_refused(
    process: Process, frontend: Client, queue: str
) -> None:
    curious = await process.client(frontend.principal, CallFor(purpose="WHIM"))
    async with process.unchanged():
        refusal = await refused(enqueue(curious, queue))

    assert refusal.why == (INVALID, "PURPOSE_OF_USE_INVALID")


async def test_a_request_id_belongs_to_one_request(
    process: Process, frontend: Client, agent: Client, queue: str
) -> None:
    request = entry(queue)
    contact = (await frontend.routing.Enqueue(request)).contact.name
    going = desk_pb2.SetAvailabilityRequest(
        request_id=request_id(), availability=AVAILABLE, queues=[queue]
    )
    await agent.desk.SetAvailability(going)
    offer = await offer_of(agent)
    taking = desk_pb2.AcceptOfferRequest(request_id=request_id(), offer=offer.name)
    await agent.desk.AcceptOffer(taking)
    finishing = desk_pb2.CompleteWorkRequest(request_id=request_id(), contact=contact)
    await agent.desk.CompleteWork(finishing)
    request.priority = 3
    going.queues.append(await create_queue(process))
    taking.offer = f"offers/{ABSENT}"
    async with process.unchanged():
        for call in (
            frontend.routing.Enqueue(request),
            agent.desk.SetAvailability(going),
            agent.desk.AcceptOffer(taking),
        ):
            assert (await refused(call)).why == (INVALID, "REQUEST_ID_REUSED")
    await offline(agent)
