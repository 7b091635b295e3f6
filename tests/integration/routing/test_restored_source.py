"""Conversations' log was restored to before what routing had reacted to: routing says so."""

from careline.log.events.v1.events_pb2 import ReactionsRetracted
from careline.log.v1.recorded_event_pb2 import EventMetadata, EventPlace
from integration.messaging.upkeep_rig import rebuilt
from integration.routing.rig import DEMO, Ground, Process, process_on
from integration.routing.steps import LEFT, create_queue, enqueue, state
from integration.routing.test_on_nats import close, comes_to
from integration.runtime.log_owner import serving_log
from routing.settings import CONSUMES
from runtime.new_id import new_id

SOURCE = "conversations"
RETRACTED = ReactionsRetracted.DESCRIPTOR.full_name


async def told(process: Process) -> list[ReactionsRetracted]:
    return [
        ReactionsRetracted.FromString(event.data)
        for event in await process.log()
        if event.type == RETRACTED
    ]


async def test_routing_tells_what_reacts_to_events_that_are_no_more_and_goes_on(
    ground: Ground,
) -> None:
    async with (
        serving_log(ground.conversations.log, ground.keys) as port,
        process_on(ground, conversations=f"127.0.0.1:{port}") as process,
    ):
        queue, frontend = await create_queue(process), await process.frontend()
        kept, lost, later = (f"conversations/{new_id()}" for _ in range(3))
        contacts = [await enqueue(frontend, queue, conversation=one) for one in (kept, lost, later)]
        await close(ground, kept)
        await comes_to(process, contacts[0], "ContactLeft")
        stands = (await ground.conversations.log.head()).position
        await close(ground, lost)
        await comes_to(process, contacts[1], "ContactLeft")
        gone = (await ground.conversations.log.head()).position

        await ground.conversations.is_restored_to(stands)
        assert (await rebuilt(ground.nats, ground.conversations, tuple(CONSUMES))).ok
        await close(ground, later)
        await comes_to(process, contacts[2], "ContactLeft")

        *_, reaction = await process.events(contacts[1])
        assert EventMetadata.FromString(reaction.metadata).cause == EventPlace(
            service=SOURCE, epoch=1, position=gone
        )
        assert await told(process) == [
            ReactionsRetracted(
                service=SOURCE,
                followed_epoch=1,
                restored_epoch=2,
                after_position=stands,
                until_position=gone,
                count=1,
                reactions=[
                    ReactionsRetracted.Reaction(
                        stream=contacts[1], event_id=str(reaction.id), type=reaction.type
                    )
                ],
            )
        ]
        assert await state(frontend, contacts[1]) == LEFT
        [retraction] = [one for one in await process.log() if one.type == RETRACTED]
        assert (retraction.stream.tenant, retraction.stream.name) == (
            DEMO,
            f"retractions/{SOURCE}",
        )
