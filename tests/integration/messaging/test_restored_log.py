"""Consumers of a restored log: what stands is not doubled, what is no more is retracted."""

import pytest
from eventstore.backoff import Backoff
from integration.messaging.consumer_rig import CONSUMPTION, SCHEMA, Platform, consuming, write_down
from integration.messaging.log_rig import all_events, append
from integration.messaging.nats_rig import NatsRig
from integration.messaging.relay_rig import relaying
from integration.messaging.upkeep_rig import rebuilt, verified
from messaging.connect import NatsClient
from messaging.consumer import ConsumerOptions
from messaging.dead_letters import DeadLetters
from messaging.handling import RetryLater
from messaging.pull import PullOptions
from messaging.received_event import ReceivedEvent
from messaging.retraction import Retraction
from messaging.retrying import Retries
from messaging.stream_check import Foreign
from messaging.stream_upkeep import ServiceRuns
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

QUICK = ConsumerOptions(
    backoff=Backoff(first=0.01, longest=0.2), pull=PullOptions(expires=1.0, heartbeat=0.2)
)
NOTED = (
    "select from_epoch, to_epoch, after_position, until_position, settled_at from audit.retraction"
)


class Undoing:
    """A service's hook: takes back what was written down of retracted events."""

    def __init__(self) -> None:
        self.asked: list[Retraction] = []

    async def __call__(self, connection: AsyncConnection, retraction: Retraction) -> None:
        self.asked.append(retraction)
        await connection.execute(
            text("delete from audit.seen where position > :after and position <= :until"),
            {"after": retraction.after, "until": retraction.until},
        )


async def noted(platform: Platform) -> list[tuple[int, int, int, int, bool]]:
    async with platform.service.admin.connect() as connection:
        rows = await connection.execute(text("select * from audit.retraction"))
        return [
            (
                row.from_epoch,
                row.to_epoch,
                row.after_position,
                row.until_position,
                row.settled_at is not None,
            )
            for row in rows
        ]


async def epochs_of_projections(platform: Platform) -> dict[str, int]:
    async with platform.source.admin.connect() as connection:
        rows = await connection.execute(text("select * from conversations.projection_build"))
        return {row.projection: row.epoch for row in rows}


@pytest.fixture
async def published(nats_rig: NatsRig, platform: Platform, source_client: NatsClient) -> list[int]:
    """Twenty events in log and stream, whose relay has ended; their positions."""
    await nats_rig.provision(["conversations"], [CONSUMPTION])
    async with relaying(platform.source, source_client) as relay:
        await append(platform.source.log, 20)
        await relay.caught_up()
    return [one.position for one in await all_events(platform.source.log)]


async def test_a_service_that_can_retracts_what_is_no_more_and_goes_on_from_what_stands(
    nats_rig: NatsRig,
    platform: Platform,
    source_client: NatsClient,
    audit_client: NatsClient,
    published: list[int],
) -> None:
    undoing = Undoing()
    async with consuming(platform, audit_client, options=QUICK, retract=undoing) as consumer:
        await consumer.caught_up()
        await platform.source.is_restored_to(published[14])
        await append(platform.source.log, 5)
        async with relaying(platform.source, source_client) as relay:
            await relay.sticks("OTHER_EPOCH")
            check = await verified(nats_rig, platform.source)
            assert check.foreign[Foreign.OTHER_EPOCH].ranges == [(1, 20)]
            assert (await rebuilt(nats_rig, platform.source)).ok
            await consumer.caught_up()
            assert consumer.consumer.status().epoch == 2
            await append(platform.source.log, 5)
            await consumer.caught_up()
    assert undoing.asked == [Retraction("conversations", 1, 2, published[14], published[19])]
    assert await noted(platform) == [(1, 2, published[14], published[19], True)]
    await platform.handled_equals_log()


async def test_a_service_that_cannot_stops_says_so_and_goes_on_once_people_have_settled_it(
    nats_rig: NatsRig,
    platform: Platform,
    source_client: NatsClient,
    audit_client: NatsClient,
    published: list[int],
) -> None:
    async with consuming(platform, audit_client, options=QUICK) as consumer:
        await consumer.caught_up()
        await platform.source.is_restored_to(published[14])
        assert (await rebuilt(nats_rig, platform.source)).ok
        await consumer.sticks("RETRACTION_NEEDED")
        assert await platform.number_handled() == 20
        assert await noted(platform) == [(1, 2, published[14], published[19], False)]

        async with platform.service.admin.begin() as connection:
            await Undoing()(connection, Retraction("conversations", 1, 2, *published[14::5]))
        await platform.service.execute("update audit.retraction set settled_at = now()")
        async with relaying(platform.source, source_client):
            await append(platform.source.log, 5)
            await consumer.caught_up()
    await platform.handled_equals_log()


@pytest.mark.parametrize("handled_before", [0, 10, 15])
async def test_a_consumer_that_was_not_beyond_the_restored_head_has_nothing_to_retract(
    nats_rig: NatsRig,
    platform: Platform,
    source_client: NatsClient,
    audit_client: NatsClient,
    published: list[int],
    handled_before: int,
) -> None:
    until = published[handled_before - 1] if handled_before else 0

    async def up_to_there(connection: AsyncConnection, event: ReceivedEvent) -> None:
        if event.epoch == 1 and event.position > until:
            raise RetryLater("NOT_YET")
        await write_down(connection, event)

    async with consuming(platform, audit_client, options=QUICK, handler=up_to_there) as consumer:
        await consumer.sticks("RETRY_LATER")
        assert await platform.number_handled() == handled_before
    await platform.source.is_restored_to(published[14])
    await append(platform.source.log, 5)
    assert (await rebuilt(nats_rig, platform.source)).ok
    async with (
        consuming(platform, audit_client, options=QUICK, handler=up_to_there) as consumer,
        relaying(platform.source, source_client),
    ):
        await append(platform.source.log, 5)
        await consumer.caught_up()
    assert await noted(platform) == []
    await platform.handled_equals_log()


async def test_a_hook_that_has_to_wait_is_asked_again_and_nothing_is_done_meanwhile(
    nats_rig: NatsRig, platform: Platform, audit_client: NatsClient, published: list[int]
) -> None:
    undoing, tries = Undoing(), 0

    async def third_time(connection: AsyncConnection, retraction: Retraction) -> None:
        nonlocal tries
        tries += 1
        await undoing(connection, retraction)
        if tries < 3:
            raise RetryLater("NOT_YET")

    async with consuming(platform, audit_client, options=QUICK, retract=third_time) as consumer:
        await consumer.caught_up()
        await platform.source.is_restored_to(published[14])
        assert (await rebuilt(nats_rig, platform.source)).ok
        await consumer.shows(lambda status: status.epoch == 2)
    assert tries == 3
    await platform.handled_equals_log()


async def test_dead_letters_of_retracted_events_are_given_up(
    nats_rig: NatsRig, platform: Platform, audit_client: NatsClient, published: list[int]
) -> None:
    refused = {published[9], published[17]}

    async def picky(connection: AsyncConnection, event: ReceivedEvent) -> None:
        if event.position in refused:
            raise ValueError
        await write_down(connection, event)

    options = ConsumerOptions(backoff=QUICK.backoff, pull=QUICK.pull, retries=Retries(attempts=1))
    async with consuming(
        platform, audit_client, options=options, handler=picky, retract=Undoing()
    ) as consumer:
        await consumer.caught_up()
        await platform.source.is_restored_to(published[14])
        assert (await rebuilt(nats_rig, platform.source)).ok
        await consumer.shows(lambda status: status.epoch == 2)
    letters = await DeadLetters(platform.service.admin, SCHEMA).list()
    assert [one.event.position for one in letters] == [published[9]]


async def test_a_log_that_went_back_unnoticed_enters_a_new_epoch_once_its_service_is_stopped(
    nats_rig: NatsRig,
    platform: Platform,
    source_client: NatsClient,
    audit_client: NatsClient,
    published: list[int],
) -> None:
    undoing = Undoing()
    async with consuming(platform, audit_client, options=QUICK, retract=undoing) as consumer:
        await consumer.caught_up()
        await platform.source.goes_back_to(published[14])
        async with relaying(platform.source, source_client) as relay:
            await relay.sticks("STREAM_AHEAD")
            check = await verified(nats_rig, platform.source)
            assert check.foreign[Foreign.AHEAD].ranges == [(16, 20)]
            with pytest.raises(ServiceRuns, match="stop all its processes"):
                await rebuilt(nats_rig, platform.source)
        await platform.source.execute(
            "insert into conversations.projection_build"
            " (projection, build, version, place, state, epoch, position)"
            " select name, 1, 1, name, 'live', 1, max(position) + ahead"
            " from conversations.event, (values ('fits', 0), ('beyond', 1)) as built (name, ahead)"
            " group by name, ahead"
        )
        mended = await rebuilt(nats_rig, platform.source)
        assert mended.ok
        assert await epochs_of_projections(platform) == {"fits": 2, "beyond": 1}
        assert mended.stretch.epoch == 2
        async with relaying(platform.source, source_client):
            await append(platform.source.log, 5)
            await consumer.caught_up()
        after = [one.position for one in await all_events(platform.source.log)][-5:]
        assert min(after) > published[19]
    assert undoing.asked == [Retraction("conversations", 1, 2, published[14], published[19])]
    await platform.handled_equals_log()
