"""Conversations' log was restored to before what partners were given: they are told so."""

from dataclasses import replace
from datetime import UTC, datetime

from careline.conversations.events.v1.events_pb2 import ConversationClosed, MessagePosted
from careline.federation.events.v1.events_pb2 import RetractionForwarded
from careline.federation.v1.events_retracted_pb2 import EventsRetracted
from eventstore.event import RecordedEvent
from eventstore.postgres import PostgresEventLog
from federation.adapters.outbox import PostgresOutbox
from federation.application.clear_part import clear_part
from federation.application.forwarding import Forwarded
from federation.application.partners import Partner as Known
from federation.domain.contract import Contract
from federation.settings import CONSUMES
from integration.federation.federation_process import federation_engine
from integration.federation.partner import Partner, new_partner
from integration.federation.platform_rig import PlatformRig
from integration.messaging.upkeep_rig import rebuilt
from integration.runtime.unsettled import unsettled
from messaging.retraction import Retraction
from nats.aio.msg import Msg
from runtime.database.tenant_session import session_of_all_tenants
from runtime.new_id import new_id

SOURCE = "conversations"
NOTICE = EventsRetracted.DESCRIPTOR.full_name
FORWARDED = RetractionForwarded.DESCRIPTOR.full_name


async def head(rig: PlatformRig) -> int:
    return (await rig.conversations.head()).position


async def epoch(rig: PlatformRig) -> int:
    return (await rig.conversations.head()).epoch


async def restored_to(rig: PlatformRig, position: int) -> None:
    """Put the log back and make its stream anew."""
    await rig.log_rig.is_restored_to(position)
    assert (await rebuilt(rig.nats, rig.log_rig, CONSUMES)).ok


async def forwarded(rig: PlatformRig) -> list[RecordedEvent]:
    """Give what federation's log says of retractions."""
    async with PostgresEventLog(rig.servers.database.engine, "federation") as log:
        return [event async for event in log.read_log(types={FORWARDED})]


async def taken(partner: Partner, number: int) -> list[Msg]:
    async with partner.connected() as desk:
        return await desk.take(number)


def types(messages: list[Msg]) -> list[str]:
    return [message.subject.rpartition(".")[2] for message in messages]


def places(messages: list[Msg]) -> list[tuple[int, int, int]]:
    """Give epoch, position and previous position of each."""
    names = ("careline-epoch", "careline-position", "careline-previous-position")
    return [
        (int(one[names[0]]), int(one[names[1]]), int(one[names[2]]))
        for one in (message.headers or {} for message in messages)
    ]


async def test_a_partner_is_told_in_line_what_it_was_given_that_is_no_more(
    rig: PlatformRig,
) -> None:
    concerned = await new_partner(rig, MessagePosted)
    before = await epoch(rig)
    await rig.record("demo", MessagePosted(message="messages/kept"))
    stands = await head(rig)
    await rig.record("demo", MessagePosted(message="messages/lost"))
    gone = await head(rig)
    given = await taken(concerned, 2)

    await restored_to(rig, stands)
    await rig.record("demo", MessagePosted(message="messages/later"))
    later = await head(rig)
    notice, following = await taken(concerned, 2)

    assert types([*given, notice, following]) == [
        "MessagePosted",
        "MessagePosted",
        "EventsRetracted",
        "MessagePosted",
    ]
    assert EventsRetracted.FromString(notice.data) == EventsRetracted(
        service=SOURCE,
        followed_epoch=before,
        restored_epoch=before + 1,
        after_position=stands,
        until_position=gone,
    )
    assert places([*given, notice, following]) == [
        (before, stands, 0),
        (before, gone, stands),
        (before + 1, stands, 0),
        (before + 1, later, stands),
    ]
    assert clear_part(EventsRetracted, notice.data) == notice.data
    key = concerned.contract.partner_key
    assert notice.subject == f"fed.{key}.demo.log.EventsRetracted"
    headers = notice.headers or {}
    assert headers["ce-type"] == NOTICE
    assert headers["ce-source"] == "careline/conversations"
    assert headers["ce-id"] == headers["Nats-Msg-Id"]
    assert headers["careline-tenant"] == "demo"


async def test_nobody_is_told_who_was_given_nothing_of_it_or_is_suspended(
    rig: PlatformRig,
) -> None:
    unconcerned = await new_partner(rig, ConversationClosed)
    suspended = await new_partner(rig, MessagePosted)
    ours = await new_partner(rig, MessagePosted)
    theirs = await new_partner(rig, MessagePosted, tenant="other")
    everybody = (MessagePosted(), ConversationClosed())
    await rig.record("demo", *everybody)
    await rig.record("other", *everybody)
    stands = await head(rig)
    await rig.record("demo", MessagePosted())
    for partner, number in ((unconcerned, 1), (suspended, 2), (ours, 2), (theirs, 1)):
        await taken(partner, number)
    await suspended.suspend()

    await restored_to(rig, stands)
    await rig.record("demo", *everybody)
    await rig.record("other", *everybody)

    assert types(await taken(ours, 2)) == ["EventsRetracted", "MessagePosted"]
    assert types(await taken(unconcerned, 1)) == ["ConversationClosed"]
    assert types(await taken(theirs, 1)) == ["MessagePosted"]
    waits = "select 1 from federation.outgoing where partner = :name"
    assert await rig.rows(waits, name=suspended.contract.name) == []
    told = (await forwarded(rig))[-1]
    assert (told.stream.tenant, told.stream.name) == ("demo", f"retractions/{SOURCE}")
    names = RetractionForwarded.FromString(told.data).partners
    assert ours.contract.name in names
    assert not {unconcerned.contract.name, suspended.contract.name} & set(names)


async def test_a_second_try_tells_nobody_twice(rig: PlatformRig) -> None:
    ours = await new_partner(rig, MessagePosted)
    theirs = await new_partner(rig, MessagePosted, tenant="other")
    stands = await head(rig)
    await rig.record("demo", MessagePosted())
    await rig.record("other", MessagePosted())
    gone = await head(rig)
    for partner in (ours, theirs):
        await taken(partner, 1)
    known = len(await forwarded(rig))

    async with unsettled(rig.servers.database.engine, "federation"):
        await restored_to(rig, stands)
        await rig.record("demo", MessagePosted())
        await rig.record("other", MessagePosted())
    for partner in (ours, theirs):
        assert types(await taken(partner, 2)) == ["EventsRetracted", "MessagePosted"]

    told = (await forwarded(rig))[known:]
    assert [event.stream.tenant for event in told] == ["demo", "other"]
    now = await epoch(rig)
    for event, partner in zip(told, (ours, theirs), strict=True):
        said = RetractionForwarded.FromString(event.data)
        assert partner.contract.name in said.partners
        said.ClearField("partners")
        assert said == RetractionForwarded(
            service=SOURCE,
            followed_epoch=now - 1,
            restored_epoch=now,
            after_position=stands,
            until_position=gone,
        )


async def test_a_partner_with_too_much_waiting_is_told_all_the_same(rig: PlatformRig) -> None:
    engine = federation_engine(rig.stack, rig.servers)
    outbox = PostgresOutbox(engine, most_waiting=1)
    somebody = Known("demo", f"partners/{new_id()}", Contract("acme"), datetime.now(UTC))
    other = replace(somebody, tenant="other")
    message = Forwarded("fed.acme.demo.1.MessagePosted", {"ce-id": "1"}, b"clear")
    lost = Retraction(SOURCE, 1, 2, 10, 20)
    async with session_of_all_tenants(engine) as connection:
        for partner, position in ((somebody, 10), (somebody, 20), (other, 10)):
            await outbox.put(connection, partner, message, epoch=1, position=position)
        assert await outbox.given_beyond(connection, lost) & {somebody.id, other.id} == {
            somebody.id
        }
        await outbox.put(connection, somebody, message, epoch=2, position=10, always=True)
        assert somebody.id not in await outbox.given_beyond(connection, lost)
    assert [one.sequence for one in await outbox.waiting(somebody, 10)] == [1, 2]
