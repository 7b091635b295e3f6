import pytest
from eventstore.backoff import Backoff
from eventstore.decider import Rejected
from integration.messaging.consumer_rig import (
    CONSUMPTION,
    SCHEMA,
    Platform,
    consuming,
    write_down,
)
from integration.messaging.log_rig import all_events, append, event, write
from integration.messaging.relay_rig import eventually
from messaging.connect import NatsClient
from messaging.consumer import ConsumerOptions
from messaging.dead_letters import DeadLetterAbsent, DeadLetters
from messaging.handling import HandlerFailed, Handling, RetryLater
from messaging.received_event import ReceivedEvent
from messaging.retrying import Retries
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

BACKOFF = Backoff(first=0.01, longest=0.02)
QUICK = ConsumerOptions(backoff=BACKOFF, retries=Retries(attempts=3, backoff=BACKOFF))
STRICT = ConsumerOptions(backoff=BACKOFF, retries=Retries(attempts=3, strict=True, backoff=BACKOFF))
SECRET = "Jane Doe 1970-01-01"

pytestmark = pytest.mark.usefixtures("relay")


class Handler:
    """Writes down what it handles, and then fails on the bodies in `poison`."""

    def __init__(self, *poison: bytes, error: Exception | None = None) -> None:
        self.poison = set(poison)
        self.error = error or ValueError(SECRET)
        self.failed = 0

    async def __call__(self, connection: AsyncConnection, received: ReceivedEvent) -> None:
        await write_down(connection, received)
        if received.data in self.poison:
            self.failed += 1
            raise self.error


async def append_bodies(platform: Platform, *bodies: bytes) -> None:
    for body in bodies:
        await platform.source.log.append(write(event(body)))


async def bodies_handled(platform: Platform) -> list[bytes]:
    async with platform.service.engine.connect() as connection:
        found = await connection.execute(text("select body from audit.seen order by number"))
        return [bytes(row.body) for row in found]


@pytest.fixture
def letters(platform: Platform) -> DeadLetters:
    return DeadLetters(platform.service.engine, SCHEMA)


async def test_a_poison_message_is_parked_and_consumption_goes_on(
    platform: Platform, audit_client: NatsClient, letters: DeadLetters
) -> None:
    handler = Handler(b"bad")
    await append_bodies(platform, b"1", b"2", b"bad", b"3")
    async with consuming(platform, audit_client, handler=handler, options=QUICK) as rig:
        await rig.caught_up()
        assert rig.consumer.status().parked == 1
        assert rig.consumer.status().stuck is None
    assert await bodies_handled(platform) == [b"1", b"2", b"3"]
    [letter] = await letters.list()
    recorded = (await all_events(platform.source.log))[2]
    assert (letter.consumer, letter.attempts) == ("audit_history", 3)
    assert (letter.reason, letter.error_type) == ("FAILED", "ValueError")
    assert letter.event.data == recorded.data
    assert letter.event.id == recorded.id
    assert letter.event.stream == recorded.stream
    assert letter.event.traceparent
    # Once with its neighbours, or not, and three times alone.
    assert handler.failed in (3, 4)


async def test_a_dead_letter_names_the_refusal_but_never_the_errors_text(
    platform: Platform, audit_client: NatsClient, letters: DeadLetters
) -> None:
    handler = Handler(b"bad", error=Rejected("CONVERSATION_STATE", state=SECRET))
    await append_bodies(platform, b"bad")
    async with consuming(platform, audit_client, handler=handler, options=QUICK) as rig:
        await rig.caught_up()
    [letter] = await letters.list()
    assert (letter.reason, letter.error_type) == ("CONVERSATION_STATE", "Rejected")
    async with platform.service.admin.connect() as connection:
        row = await connection.scalar(text("select d::text from audit.dead_letter d"))
    assert "Jane" not in row


async def test_a_dead_letter_can_be_retried_and_is_gone_then(
    platform: Platform, audit_client: NatsClient, letters: DeadLetters
) -> None:
    handler = Handler(b"bad")
    await append_bodies(platform, b"bad", b"good")
    async with consuming(platform, audit_client, handler=handler, options=QUICK) as rig:
        await rig.caught_up()
    [letter] = await letters.list()
    handler.poison.clear()
    await letters.retry(letter.id, CONSUMPTION, Handling(SCHEMA, handler))
    assert await bodies_handled(platform) == [b"good", b"bad"]
    assert await letters.list() == []
    with pytest.raises(DeadLetterAbsent):
        await letters.retry(letter.id, CONSUMPTION, Handling(SCHEMA, handler))


async def test_a_retry_that_fails_again_has_no_effect_and_is_counted(
    platform: Platform, audit_client: NatsClient, letters: DeadLetters
) -> None:
    handler = Handler(b"bad")
    await append_bodies(platform, b"bad")
    async with consuming(platform, audit_client, handler=handler, options=QUICK) as rig:
        await rig.caught_up()
    [letter] = await letters.list()
    handler.error = KeyError(SECRET)
    with pytest.raises(HandlerFailed):
        await letters.retry(letter.id, CONSUMPTION, Handling(SCHEMA, handler))
    [again] = await letters.list()
    assert (again.attempts, again.error_type) == (4, "KeyError")
    assert await bodies_handled(platform) == []


async def test_all_dead_letters_of_a_consumer_are_retried_in_order_and_those_that_fail_stay(
    platform: Platform, audit_client: NatsClient, letters: DeadLetters
) -> None:
    handler = Handler(b"a", b"b", b"c")
    await append_bodies(platform, b"a", b"b", b"c")
    async with consuming(platform, audit_client, handler=handler, options=QUICK) as rig:
        await rig.caught_up()
    handler.poison = {b"b"}
    assert await letters.retry_all(CONSUMPTION, Handling(SCHEMA, handler)) == (2, 1)
    assert await bodies_handled(platform) == [b"a", b"c"]
    assert [letter.event.data for letter in await letters.list()] == [b"b"]


async def test_a_discarded_dead_letter_stays_with_its_reason_but_is_never_handled(
    platform: Platform, audit_client: NatsClient, letters: DeadLetters
) -> None:
    handler = Handler(b"bad")
    await append_bodies(platform, b"bad")
    async with consuming(platform, audit_client, handler=handler, options=QUICK) as rig:
        await rig.caught_up()
    [letter] = await letters.list()
    with pytest.raises(ValueError, match="say why"):
        await letters.discard(letter.id, " ")
    await letters.discard(letter.id, "sent by a test client")
    assert await letters.list() == []
    [kept] = await letters.list(with_discarded=True)
    assert kept.discard_reason == "sent by a test client"
    assert kept.discarded_at is not None
    for attempt in (
        letters.discard(letter.id, "again"),
        letters.retry(letter.id, CONSUMPTION, Handling(SCHEMA, handler)),
    ):
        with pytest.raises(DeadLetterAbsent):
            await attempt


async def test_dead_letters_are_listed_by_pages_and_by_tenant(
    platform: Platform, audit_client: NatsClient, letters: DeadLetters
) -> None:
    for tenant in ("demo", "other", "demo"):
        await platform.source.log.append(write(event(b"bad"), tenant=tenant))
    handler = Handler(b"bad")
    async with consuming(platform, audit_client, handler=handler, options=QUICK) as rig:
        await rig.caught_up()
    first, second = await letters.list(limit=2)
    [third] = await letters.list(after=second.id, consumer="audit_history")
    assert [letter.event.stream.tenant for letter in (first, second, third)] == [
        "demo",
        "other",
        "demo",
    ]
    assert await letters.list(consumer="audit_other") == []
    demo = DeadLetters(platform.service.engine, SCHEMA, "demo")
    assert [letter.id for letter in await demo.list()] == [first.id, third.id]
    with pytest.raises(DeadLetterAbsent):
        await demo.discard(second.id, "not ours")


async def test_a_strict_consumer_stays_before_the_failing_event_until_it_can_be_handled(
    platform: Platform, audit_client: NatsClient, letters: DeadLetters
) -> None:
    handler = Handler(b"bad")
    await append_bodies(platform, b"1", b"bad", b"2")
    async with consuming(platform, audit_client, handler=handler, options=STRICT) as rig:
        await rig.sticks("HELD_BY_EVENT")
        assert await bodies_handled(platform) == [b"1"]
        assert await letters.list() == []
        handler.poison.clear()
        await rig.caught_up()
    assert await bodies_handled(platform) == [b"1", b"bad", b"2"]


async def test_a_handler_that_waits_for_something_is_tried_again_and_parks_nothing(
    platform: Platform, audit_client: NatsClient, letters: DeadLetters
) -> None:
    handler = Handler(b"early", error=RetryLater("KEYRING_AWAY"))
    await append_bodies(platform, b"early", b"2")
    async with consuming(platform, audit_client, handler=handler, options=QUICK) as rig:
        await eventually(lambda: handler.failed > 5)
        assert "KEYRING_AWAY" in (rig.consumer.status().stuck or "")
        handler.poison.clear()
        await rig.caught_up()
    assert await bodies_handled(platform) == [b"early", b"2"]
    assert await letters.list() == []


async def test_a_database_connection_lost_in_the_handler_is_not_the_events_fault(
    platform: Platform, audit_client: NatsClient, letters: DeadLetters
) -> None:
    cuts = 10

    async def handler(connection: AsyncConnection, received: ReceivedEvent) -> None:
        nonlocal cuts
        await write_down(connection, received)
        if cuts:
            cuts -= 1
            pid = await connection.scalar(text("select pg_backend_pid()"))
            await platform.service.execute(f"select pg_terminate_backend({pid})")
            await connection.execute(text("select 1"))

    await append_bodies(platform, b"1", b"2")
    async with consuming(platform, audit_client, handler=handler, options=QUICK) as rig:
        await rig.caught_up()
    assert cuts == 0
    assert await bodies_handled(platform) == [b"1", b"2"]
    assert await letters.list() == []


async def test_a_handler_that_takes_too_long_is_given_up_on(
    platform: Platform, audit_client: NatsClient, letters: DeadLetters
) -> None:
    async def handler(connection: AsyncConnection, received: ReceivedEvent) -> None:
        if received.data == b"slow":
            await connection.execute(text("select pg_sleep(60)"))
        await write_down(connection, received)

    await append_bodies(platform, b"slow", b"quick")
    retries = Retries(attempts=2, backoff=BACKOFF, handler=0.3)
    options = ConsumerOptions(backoff=BACKOFF, retries=retries)
    async with consuming(platform, audit_client, handler=handler, options=options) as rig:
        await rig.caught_up()
    assert await bodies_handled(platform) == [b"quick"]
    [letter] = await letters.list()
    assert letter.error_type == "TimeoutError"


async def test_one_failing_event_in_a_batch_leaves_its_neighbours_effects_single(
    platform: Platform, audit_client: NatsClient
) -> None:
    await append(platform.source.log, 100)
    await append_bodies(platform, b"bad")
    await append(platform.source.log, 100)
    handler = Handler(b"bad")
    async with consuming(platform, audit_client, handler=handler, options=QUICK) as rig:
        await rig.caught_up()
    log = [(one.position, one.id) for one in await all_events(platform.source.log)]
    del log[100]
    assert await platform.handled() == log
