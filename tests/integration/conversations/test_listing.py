"""Lists show each caller his own conversations, newest first, page by page."""

import pytest
from careline.conversations.v1 import conversation_pb2 as pb
from careline.conversations.v1 import conversation_service_pb2 as api
from integration.conversations.linking import ConversationLinks
from integration.conversations.rig import Client, Process
from integration.conversations.steps import (
    CHAT,
    bot_says,
    close,
    get,
    hand_to,
    join,
    patient_says,
    start,
    wrap_up,
)
from integration.refusals import refusal, violation
from runtime.new_id import new_id
from runtime.paging import page_token
from runtime.request_context import RequestContext, acting_in


@pytest.fixture
async def frontend(process: Process) -> Client:
    return await process.frontend()


async def listed(who: Client, **query: object) -> list[pb.Conversation]:
    answer = await who.conversations.ListConversations(
        api.ListConversationsRequest(**query)  # type: ignore[arg-type]  # fields of any sort
    )
    assert answer.next_page_token == ""
    return list(answer.conversations)


async def test_a_row_shows_what_reading_the_conversation_shows(
    process: Process, frontend: Client
) -> None:
    agent, name = await process.agent(), await start(frontend)
    patient = f"patients/{new_id()}"
    for step in range(3):
        if step == 1:
            await ConversationLinks(process, frontend).link(name, patient)
            await join(frontend, name, CHAT)
            await join(frontend, name, CHAT, "chat-2")
        if step == 2:
            await bot_says(frontend, name, "Hi")
            await hand_to(process, frontend, agent, name)
            await wrap_up(agent, name)
            await close(agent, name)
        await settled_listing(process, name)

        assert await listed(frontend) == [await get(frontend, name)]


async def settled_listing(process: Process, name: str) -> None:
    """Wait until the list shows the newest revision, whatever the outbox has to do with it."""
    revision = (await process.events(name))[-1].revision
    await process.row_reaches(name, revision)


async def test_everybody_lists_his_own(process: Process, frontend: Client) -> None:
    chat, agent, other = (
        await process.frontend("CHAT"),
        await process.agent(),
        await process.agent(),
    )
    first, second = await start(frontend), await start(frontend)
    await join(chat, second)
    await hand_to(process, frontend, agent, first)
    await process.accept(first, other.name)
    await settled_listing(process, first)

    assert [one.name for one in await listed(frontend)] == [second, first]
    assert [one.name for one in await listed(chat)] == [second]
    assert [one.name for one in await listed(agent)] == [first]
    assert [one.name for one in await listed(other)] == [first]
    assert await listed(await process.frontend()) == []


async def test_supervisors_list_all_of_their_tenant(process: Process) -> None:
    theirs, frontend = await process.frontend(tenant="other"), await process.frontend()
    name, foreign = await start(frontend), await start(theirs)
    await process.row_reaches(name, 1)
    await process.row_reaches(foreign, 1)
    supervisor = await process.agent("supervisor")
    abroad = await process.agent("supervisor", tenant="other")

    assert name in [one.name for one in await listed(supervisor, page_size=200)]
    assert [one.name for one in await listed(abroad)] == [foreign]
    assert (await get(supervisor, name)).name == name


async def test_pages_follow_each_other_without_loss_or_repetition(
    process: Process, frontend: Client
) -> None:
    names = [await start(frontend) for _ in range(7)]
    await process.row_reaches(names[-1], 1)
    seen: list[str] = []
    token = ""
    pages = 0
    while True:
        page = await frontend.conversations.ListConversations(
            api.ListConversationsRequest(page_size=3, page_token=token)
        )
        seen += [one.name for one in page.conversations]
        token, pages = page.next_page_token, pages + 1
        if not token:
            break
        if pages == 1:
            # What comes meanwhile belongs before the first page.
            newer = await start(frontend)
            await process.row_reaches(newer, 1)

    assert seen == names[::-1]
    assert pages == 3


async def test_a_list_is_filtered_by_patient_and_state(process: Process, frontend: Client) -> None:
    linked, closed, plain = [await start(frontend) for _ in range(3)]
    patient = f"patients/{new_id()}"
    await ConversationLinks(process, frontend).link(linked, patient)
    await close(frontend, closed)
    await patient_says(frontend, plain, "Hi")
    await process.row_reaches(plain, 2)

    assert [one.name for one in await listed(frontend, patient=patient)] == [linked]
    open_ones = await listed(frontend, state=pb.Conversation.STATE_OPEN)
    assert [one.name for one in open_ones] == [plain, linked]
    over = await listed(frontend, state=pb.Conversation.STATE_CLOSED, patient="")
    assert [one.name for one in over] == [closed]
    assert await listed(frontend, patient=f"patients/{new_id()}") == []


async def test_a_token_is_of_its_query_alone(process: Process, frontend: Client) -> None:
    names = [await start(frontend) for _ in range(2)]
    await process.row_reaches(names[-1], 1)
    ask = frontend.conversations.ListConversations
    token = (await ask(api.ListConversationsRequest(page_size=1))).next_page_token

    for query in (
        api.ListConversationsRequest(page_token=token, state=pb.Conversation.STATE_OPEN),
        api.ListConversationsRequest(page_token=token[:-3]),
        api.ListConversationsRequest(page_token="made up"),
    ):
        assert await refusal(ask(query)) == "PAGE_TOKEN_INVALID"
    stranger = await process.frontend()
    borrowed = api.ListConversationsRequest(page_token=token)
    assert not (await stranger.conversations.ListConversations(borrowed)).conversations


async def test_a_token_that_was_made_up_well_is_refused_all_the_same(frontend: Client) -> None:
    query = api.ListConversationsRequest()
    context = RequestContext(
        action="",
        method="careline.conversations.v1.ConversationService/ListConversations",
        principal=frontend.principal,
        tenant="demo",
        purpose=None,
        deadline=0,
        correlation_id="",
    )
    known = str(new_id())
    for place in (("soon", known), ("9" * 300, known), ("-" + "9" * 18, known), ("0", "me")):
        with acting_in(context):
            query.page_token = page_token(query, place)
        assert await refusal(frontend.conversations.ListConversations(query)) == (
            "PAGE_TOKEN_INVALID"
        )


async def test_queries_are_checked(frontend: Client) -> None:
    ask = frontend.conversations.ListConversations
    strange = api.ListConversationsRequest()
    strange.state = 77  # type: ignore[assignment]  # of a newer client

    assert await violation(ask(api.ListConversationsRequest(page_size=-1))) == "page_size"
    assert await violation(ask(api.ListConversationsRequest(patient="patients/1"))) == "patient"
    assert await violation(ask(strange)) == "state"


async def test_the_rows_of_a_tenant_are_closed_to_others(process: Process) -> None:
    frontend = await process.frontend()
    name = await start(frontend)
    await process.row_reaches(name, 1)
    tables = (
        "conversation",
        "conversation_party",
        "channel_address",
        "outbox",
        "one_time_code",
    )
    for tenant, sees in (("other", 0), ("", 0), ("demo", 1), ("*", 1)):
        assert await process.visible(tables[0], name, tenant) == sees
    for table in tables:
        assert await process.visible(table, name, "other") == 0
