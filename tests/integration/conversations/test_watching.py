"""Histories: who sees them, how they go on and resume, and what is noted of it."""

import asyncio
from collections.abc import AsyncIterator

import pytest
from careline.conversations.v1 import conversation_service_pb2 as api
from careline.log.events.v1.events_pb2 import Disclosed
from conftest import CreateDatabase
from conversations.application.arrivals import Arrivals
from conversations.application.watching import PAGE_EVENTS
from eventstore.errors import LogUnavailable
from eventstore.event_log import Head, Page
from eventstore.memory import MemoryEventLog
from integration.conversations.linking import ConversationLinks
from integration.conversations.rig import Client, Ground, Process, ground_on, process_on
from integration.conversations.steps import (
    SMS,
    agent_says,
    hand_to,
    history,
    patient_says,
    start,
    watching,
    wrap_up,
)
from integration.refusals import refusal
from integration.runtime.vault_rig import VaultRig
from runtime.new_id import new_id


@pytest.fixture
async def frontend(process: Process) -> Client:
    return await process.frontend()


@pytest.fixture
async def agent(process: Process) -> Client:
    return await process.agent()


@pytest.fixture
async def linked(process: Process, frontend: Client) -> str:
    """A conversation that is linked to a patient and waits for an agent."""
    name = await start(frontend)
    await ConversationLinks(process, frontend).link(name, f"patients/{new_id()}")
    return name


async def disclosures(process: Process, conversation: str) -> list[Disclosed]:
    found = []
    async for event in process.serving.runtime.log.read_log(types={Disclosed.DESCRIPTOR.full_name}):
        disclosed = Disclosed.FromString(event.data)
        if disclosed.conversation == conversation:
            found.append(disclosed)
    return found


async def test_a_watch_begins_with_the_history_and_goes_on(frontend: Client) -> None:
    name = await start(frontend)
    async with watching(frontend, name) as watch:
        assert [entry.event for entry in await watch.entries(2)] == [
            "ConversationStarted",
            "ControlPassed",
        ]
        await patient_says(frontend, name, "Hello")
        (entry,) = await watch.entries(1)

    assert (entry.revision, entry.text, entry.channel) == (2, "Hello", SMS)


async def test_what_another_process_appends_comes_too(
    process: Process, ground: Ground, frontend: Client
) -> None:
    name = await start(frontend)
    async with process_on(ground) as other:
        watcher = await other.agent()
        await process.accept(name, watcher.name)
        async with watching(watcher, name) as watch:
            await watch.entries(3)
            await patient_says(frontend, name, "Hello")
            (entry,) = await watch.entries(1)

    assert entry.text == "Hello"


async def test_a_watch_resumes_after_what_was_read_also_at_another_process(
    ground: Ground,
) -> None:
    texts = [f"Line {number}" for number in range(20)]
    async with process_on(ground) as first:
        frontend = await first.frontend()
        name = await start(frontend)
        async with watching(frontend, name) as watch:
            await watch.entries(2)
            for text in texts[:10]:
                await patient_says(frontend, name, text)
            seen = await watch.entries(7)
            token = watch.token
    principal = frontend.name
    async with process_on(ground) as second:
        again = await second.same(frontend)
        assert again.name == principal
        for text in texts[10:]:
            await patient_says(again, name, text)
        async with watching(again, name, token) as watch:
            seen += await watch.entries(len(texts) - len(seen))

    assert [entry.text for entry in seen] == texts
    assert [entry.revision for entry in seen] == list(range(2, 22))


async def test_a_token_is_bound_to_its_conversation(frontend: Client) -> None:
    name, other = await start(frontend), await start(frontend)
    async with watching(frontend, name) as watch:
        await watch.entries(2)
    for conversation, token in ((name, watch.token[:-4]), (name, "made up"), (other, watch.token)):
        async with watching(frontend, conversation, token) as refused:
            assert await refusal(refused.entries(1)) == "PAGE_TOKEN_INVALID"


async def test_a_token_ends_with_the_logs_epoch(
    create_database: CreateDatabase, vault: VaultRig
) -> None:
    async with create_database() as database, ground_on(database, vault) as ground:
        async with process_on(ground) as process:
            frontend = await process.frontend()
            name = await start(frontend)
            async with watching(frontend, name) as watch:
                await watch.entries(2)
        await ground.execute("update conversations.log_state set epoch = epoch + 1")
        async with process_on(ground) as process:
            again = await process.same(frontend)
            async with watching(again, name, watch.token) as refused:
                assert await refusal(refused.entries(1)) == "RESUME_TOKEN_EXPIRED"
            assert len(await history(again, name)) == 2


async def test_a_quiet_watch_shows_that_it_lives(frontend: Client) -> None:
    name = await start(frontend)
    async with watching(frontend, name) as watch:
        await watch.entries(2)
        heartbeat = await watch.heartbeat()

    assert heartbeat.resume_token == watch.token


async def test_a_snapshot_ends_and_says_where(frontend: Client) -> None:
    name = await start(frontend)
    pages = frontend.conversations.WatchConversation(
        api.WatchConversationRequest(conversation=name, snapshot=True)
    )
    answers = [answer async for answer in pages]
    (token,) = [answer.resume_token for answer in answers]
    rest = frontend.conversations.WatchConversation(
        api.WatchConversationRequest(conversation=name, snapshot=True, resume_token=token)
    )

    assert [list(answer.entries) async for answer in rest] == [[]]


async def test_a_long_history_comes_in_pages_without_loss(frontend: Client) -> None:
    name, count = await start(frontend), 3 * PAGE_EVENTS
    await asyncio.gather(*(patient_says(frontend, name, "x" * 4096) for _ in range(count)))

    assert [entry.revision for entry in await history(frontend, name)] == list(range(count + 2))


async def test_a_watcher_who_does_not_read_holds_nobody_up(frontend: Client) -> None:
    name = await start(frontend)
    async with watching(frontend, name) as slow, watching(frontend, name) as fast:
        await asyncio.gather(*(patient_says(frontend, name, "x" * 4096) for _ in range(200)))
        quick = await fast.entries(202)
        late = await slow.entries(202)

    assert late == quick


async def test_an_agent_sees_what_he_holds_or_held(
    process: Process, frontend: Client, agent: Client
) -> None:
    name, next_agent = await start(frontend), await process.agent("nurse")
    assert await refusal(history(agent, name)) == "DENIED_OR_ABSENT"
    await hand_to(process, frontend, agent, name)
    assert len(await history(agent, name)) == 4
    await process.accept(name, next_agent.name)

    assert len(await history(agent, name)) == 5
    assert len(await history(next_agent, name)) == 5


async def test_an_agents_watch_of_a_patients_conversation_is_noted_first(
    process: Process, frontend: Client, agent: Client, linked: str
) -> None:
    await hand_to(process, frontend, agent, linked)
    await history(frontend, linked)
    assert await disclosures(process, linked) == []

    await history(agent, linked)
    await history(agent, linked)

    first, second = await disclosures(process, linked)
    assert first.recipient.name == agent.name
    assert (first.purpose_of_use, first.caller_level) == ("TREAT", "VERIFIED")
    assert list(first.resource_types) == ["Communication"]
    assert first.patient == second.patient


async def test_another_purpose_is_another_disclosure(
    process: Process, frontend: Client, agent: Client, linked: str
) -> None:
    await hand_to(process, frontend, agent, linked)
    billing = await process.agent(purpose="HPAYMT", name=agent.name)
    await history(agent, linked)
    await history(billing, linked)

    assert [one.purpose_of_use for one in await disclosures(process, linked)] == [
        "TREAT",
        "HPAYMT",
    ]


async def test_before_a_patient_is_known_nothing_is_disclosed_and_then_it_is(
    process: Process, frontend: Client, agent: Client
) -> None:
    name = await start(frontend)
    await hand_to(process, frontend, agent, name)
    async with watching(agent, name) as watch:
        await watch.entries(4)
        assert await disclosures(process, name) == []
        await ConversationLinks(process, frontend).link(name, f"patients/{new_id()}")
        await watch.entries(1)
        await patient_says(frontend, name, "Hello")
        await watch.entries(1)

        assert len(await disclosures(process, name)) == 1


async def test_a_disclosure_is_renewed_while_a_watch_lasts(ground: Ground) -> None:
    async with process_on(ground, disclosure_renewal_seconds=0.001) as process:
        frontend, agent = await process.frontend(), await process.agent()
        name = await start(frontend)
        await ConversationLinks(process, frontend).link(name, f"patients/{new_id()}")
        await hand_to(process, frontend, agent, name)
        async with watching(agent, name) as watch:
            await watch.entries(5)
            await asyncio.sleep(
                0.25
            )  # the renewal's own time passes, and there is nothing to await
            await patient_says(frontend, name, "Hello")
            await watch.entries(1)

        assert len(await disclosures(process, name)) == 2


async def test_nothing_is_shown_when_it_can_not_be_noted(
    process: Process, ground: Ground, frontend: Client, agent: Client, linked: str
) -> None:
    await hand_to(process, frontend, agent, linked)
    # Refuses whatever is appended to streams of disclosures, as a full disk would all.
    await ground.execute(
        "alter table conversations.event add constraint no_disclosures"
        " check (stream not like 'disclosures/%') not valid"
    )
    try:
        with pytest.raises(Exception) as raised:  # noqa: PT011  whatever it is, it is no history
            await history(agent, linked)
    finally:
        await ground.execute("alter table conversations.event drop constraint no_disclosures")

    assert "INTERNAL" in str(raised.value) or "UNAVAILABLE" in str(raised.value)
    assert await disclosures(process, linked) == []


async def test_what_was_erased_is_called_so(process: Process, frontend: Client) -> None:
    name = await start(frontend)
    await patient_says(frontend, name, "I am pregnant")
    patient = f"patients/{new_id()}"
    await ConversationLinks(process, frontend).link(name, patient)
    await process.ground.erase(patient)

    lines = {line.event: line for line in await history(frontend, name)}

    assert (lines["MessagePosted"].text, lines["MessagePosted"].erased) == ("", True)
    assert not lines["ControlPassed"].erased
    assert not lines["ConversationStarted"].erased


async def test_watchers_are_sent_away_when_the_log_can_not_be_followed() -> None:
    class Failing(MemoryEventLog):
        """A log whose server goes away while it is followed."""

        def __init__(self) -> None:
            super().__init__()
            self.lost = asyncio.Event()

        async def _pages(self) -> AsyncIterator[Page]:
            yield Page((), Head(1, 0))
            await self.lost.wait()
            raise LogUnavailable("gone")

        def subscribe(self, **_: object) -> AsyncIterator[Page]:
            return self._pages()

    log = Failing()
    arrivals = Arrivals(log, lambda _: iter(()))
    following = asyncio.create_task(arrivals.run())
    try:
        with arrivals.listening("key") as bell:
            assert await bell.wait(5)
            bell.clear()
            log.lost.set()
            with pytest.raises(LogUnavailable):
                await bell.wait(5)
        log.lost.clear()
        with arrivals.listening("key") as bell:
            # Rung as soon as the log is followed again, in case something was missed meanwhile.
            assert await bell.wait(5)
    finally:
        following.cancel()


async def test_agents_words_and_notes_come_with_their_details(
    process: Process, frontend: Client, agent: Client
) -> None:
    name = await start(frontend)
    await hand_to(process, frontend, agent, name)
    await agent_says(agent, name, "On Monday")
    await wrap_up(agent, name, "Told him")

    *_, posted, queued, wrapped = await history(agent, name)

    assert (posted.actor, posted.text, posted.subject[:9]) == (agent.name, "On Monday", "messages/")
    assert (queued.event, queued.channel, queued.subject[:11]) == (
        "DeliveryQueued",
        SMS,
        "deliveries/",
    )
    assert (wrapped.text, wrapped.detail) == ("Told him", "NO_ACTION")
