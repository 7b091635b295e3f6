"""What follows from routing's events, however often and late they come."""

from dataclasses import replace

import pytest
from careline.conversations.events.v1.events_pb2 import ControlPassed
from careline.conversations.v1 import conversation_pb2 as pb
from careline.log.v1.recorded_event_pb2 import PRINCIPAL_KIND_SERVICE, EventMetadata
from careline.routing.events.v1.events_pb2 import OfferDeclined
from integration.conversations.rig import Client, Process, accepted_offer
from integration.conversations.steps import close, get, hand_to, pass_to_queue, start, wrap_up
from runtime.new_id import new_id


@pytest.fixture
async def frontend(process: Process) -> Client:
    return await process.frontend()


async def test_control_passes_by_the_service_itself_in_the_trace_of_the_cause(
    process: Process, frontend: Client
) -> None:
    agent, name = await process.agent(), await start(frontend)
    await pass_to_queue(frontend, name)
    event = await process.accept(name, agent.name)

    control = (await get(frontend, name)).control
    assert (control.holder_kind, control.holder, control.epoch) == (
        pb.Control.HOLDER_KIND_AGENT,
        agent.name,
        3,
    )
    (passed,) = (await process.messages(name))[3:]
    assert isinstance(passed, ControlPassed)
    assert passed.reason == "OFFER_ACCEPTED"
    cause = EventMetadata.FromString(event.metadata)
    effect = EventMetadata.FromString((await process.events(name))[-1].metadata)
    assert (effect.actor.kind, effect.actor.name) == (
        PRINCIPAL_KIND_SERVICE,
        "services/conversations",
    )
    assert effect.correlation_id == cause.correlation_id
    assert effect.causation_id == str(event.id)
    assert effect.traceparent.split("-")[1] == cause.traceparent.split("-")[1]


async def test_an_event_that_comes_again_changes_nothing_even_after_control_moved_on(
    process: Process, frontend: Client
) -> None:
    first, second, name = await process.agent(), await process.agent(), await start(frontend)
    await pass_to_queue(frontend, name)
    event = await process.accept(name, first.name)
    await process.take_in(event)
    await process.accept(name, second.name)
    await process.take_in(event)

    assert (await get(frontend, name)).control.holder == second.name
    assert len(await process.events(name)) == 5


async def test_an_event_of_another_tenant_reaches_no_conversation_of_this_one(
    process: Process, frontend: Client
) -> None:
    name = await start(frontend)
    await process.take_in(accepted_offer(name, f"agents/{new_id()}", tenant="other"))

    assert (await get(frontend, name)).control.holder == frontend.name
    assert await process.events(name, "other") == []


async def test_offers_of_what_is_over_or_never_was_are_passed_over(
    process: Process, frontend: Client
) -> None:
    agent, name = await process.agent(), await start(frontend)
    await hand_to(process, frontend, agent, name)
    await wrap_up(agent, name)
    await close(agent, name)
    before = len(await process.events(name))

    await process.accept(name, f"agents/{new_id()}")
    nowhere = f"conversations/{new_id()}"
    await process.accept(nowhere, agent.name)

    assert len(await process.events(name)) == before
    assert await process.events(nowhere) == []


async def test_other_events_of_routing_mean_nothing_here(
    process: Process, frontend: Client
) -> None:
    name = await start(frontend)
    declined = replace(
        accepted_offer(name, f"agents/{new_id()}"),
        type=OfferDeclined.DESCRIPTOR.full_name,
        data=OfferDeclined(offer="offers/1").SerializeToString(),
    )
    await process.take_in(declined)

    assert len(await process.events(name)) == 2


async def test_a_name_that_is_none_is_a_fault_that_shows(process: Process) -> None:
    event = accepted_offer("conversations/*.>", f"agents/{new_id()}")

    with pytest.raises(ValueError, match="stream"):
        await process.take_in(event)
