"""Conversations over gRPC: started, joined, spoken in, wrapped up, closed."""

import asyncio

import pytest
from careline.conversations.events.v1.events_pb2 import ConversationStarted, MessagePosted
from careline.conversations.v1 import conversation_pb2 as pb
from careline.conversations.v1 import conversation_service_pb2 as api
from careline.log.v1.recorded_event_pb2 import PRINCIPAL_KIND_FRONTEND, EventMetadata
from integration.conversations.rig import Client, Process
from integration.conversations.steps import (
    AGENT,
    BOT,
    CHAT,
    PATIENT,
    PHONE,
    SMS,
    VOICE,
    agent_says,
    bot_says,
    close,
    get,
    hand_to,
    history,
    join,
    message,
    pass_to_queue,
    patient_says,
    start,
    wrap_up,
)
from integration.refusals import refusal, request_id, violation

NO_CONVERSATION = "conversations/01970000-0000-7000-8000-000000000000"


@pytest.fixture
async def frontend(process: Process) -> Client:
    return await process.frontend()


@pytest.fixture
async def agent(process: Process) -> Client:
    return await process.agent()


async def test_it_starts_open_with_its_bot_in_control(process: Process, frontend: Client) -> None:
    answer = await frontend.conversations.StartConversation(
        api.StartConversationRequest(request_id=request_id(), channel=SMS, address="(617) 555-0123")
    )
    conversation = answer.conversation
    started, _ = await process.messages(conversation.name)

    assert conversation.state == pb.Conversation.STATE_OPEN
    assert list(conversation.channels) == [SMS]
    assert (conversation.control.holder, conversation.control.epoch) == (frontend.name, 1)
    assert (conversation.etag, answer.position > 0) == ("1", True)
    assert isinstance(started, ConversationStarted)
    assert started.address == PHONE
    assert await get(frontend, conversation.name) == conversation


async def test_a_start_that_is_repeated_is_the_same_conversation(frontend: Client) -> None:
    request = api.StartConversationRequest(request_id=request_id(), channel=SMS, address=PHONE)
    first = await frontend.conversations.StartConversation(request)
    await patient_says(frontend, first.conversation.name, "Hello")

    assert await frontend.conversations.StartConversation(request) == first
    request.address = "+16175550199"
    assert await refusal(frontend.conversations.StartConversation(request)) == "REQUEST_ID_REUSED"


async def test_a_whole_contact(process: Process, frontend: Client, agent: Client) -> None:
    name = await start(frontend)
    await patient_says(frontend, name, "When is my appointment?")
    await bot_says(frontend, name, "One moment, please.")
    await hand_to(process, frontend, agent, name)
    await agent_says(agent, name, "On Monday.")
    await join(frontend, name)
    await patient_says(frontend, name, "Thanks, I am in the chat now.", CHAT)
    await agent_says(agent, name, "You are welcome.")
    await wrap_up(agent, name, "Told him.")
    closed = await close(agent, name)

    assert closed.conversation.state == pb.Conversation.STATE_CLOSED
    assert closed.conversation.disposition == "NO_ACTION"
    assert list(closed.conversation.channels) == [SMS, CHAT]
    lines = await history(agent, name)
    assert [line.revision for line in lines] == list(range(len(lines)))
    assert [(line.event, line.channel, line.text) for line in lines if line.text] == [
        ("MessagePosted", SMS, "When is my appointment?"),
        ("MessagePosted", SMS, "One moment, please."),
        ("MessagePosted", SMS, "On Monday."),
        ("MessagePosted", CHAT, "Thanks, I am in the chat now."),
        ("MessagePosted", CHAT, "You are welcome."),
        ("ConversationWrappedUp", pb.CHANNEL_UNSPECIFIED, "Told him."),
    ]
    passed = [line for line in lines if line.event == "ControlPassed"]
    assert [(line.subject, line.detail) for line in passed] == [
        (frontend.name, "START"),
        ("", "HANDOFF"),
        (agent.name, "OFFER_ACCEPTED"),
    ]
    assert passed[-1].actor == "services/conversations"
    assert (lines[-1].event, lines[-1].detail) == ("ConversationClosed", "RESOLVED")


async def test_an_event_remembers_who_caused_it_and_in_which_trace(
    process: Process, frontend: Client
) -> None:
    name = await start(frontend)
    event = (await process.events(name))[0]
    metadata = EventMetadata.FromString(event.metadata)
    (line, *_) = await history(frontend, name)

    assert (metadata.actor.kind, metadata.actor.name) == (PRINCIPAL_KIND_FRONTEND, frontend.name)
    assert metadata.action == "conversations.startConversation"
    assert line.trace_id == metadata.traceparent.split("-")[1]
    assert line.trace_id == metadata.correlation_id.replace("-", "")


async def test_a_repeated_message_is_posted_once_and_answered_alike(
    process: Process, frontend: Client
) -> None:
    name = await start(frontend)
    request = message(name, "Hello")
    first = await frontend.conversations.PostMessage(request)
    await close(frontend, name)

    assert await frontend.conversations.PostMessage(request) == first
    assert first.message.startswith("messages/")
    posted = [one for one in await process.messages(name) if isinstance(one, MessagePosted)]
    assert [one.message for one in posted] == [first.message]
    request.text = "Good-bye"
    assert await refusal(frontend.conversations.PostMessage(request)) == "REQUEST_ID_REUSED"


async def test_the_same_request_id_of_another_principal_is_another_request(
    process: Process, frontend: Client
) -> None:
    name, chat = await start(frontend), await process.frontend("CHAT")
    await join(chat, name)
    own = message(name, "Hello")
    other = message(name, "Hello", PATIENT, CHAT)
    other.request_id = own.request_id

    first = await frontend.conversations.PostMessage(own)
    second = await chat.conversations.PostMessage(other)

    assert first.message != second.message


async def test_fifty_posts_at_once_all_land_without_a_gap(
    process: Process, frontend: Client
) -> None:
    name = await start(frontend)
    texts = [f"Line {number}" for number in range(50)]
    answers = await asyncio.gather(*(patient_says(frontend, name, text) for text in texts))

    assert sorted(int(answer.etag) for answer in answers) == list(range(2, 52))
    events = await process.events(name)
    assert [event.revision for event in events] == list(range(52))
    lines = {line.revision: line for line in await history(frontend, name)}
    for answer, text in zip(answers, texts, strict=True):
        line = lines[int(answer.etag)]
        assert (line.subject, line.text) == (answer.message, text)


async def test_a_stale_etag_is_refused_and_changes_nothing(
    process: Process, frontend: Client
) -> None:
    name = await start(frontend)
    first = await patient_says(frontend, name, "Hello")
    request = message(name, "Again")
    request.etag = "1"

    assert await refusal(frontend.conversations.PostMessage(request)) == "ETAG_STALE"
    assert len(await process.events(name)) == 3
    request.etag = first.etag
    assert (await frontend.conversations.PostMessage(request)).etag == "3"


async def test_a_bot_is_refused_once_control_was_passed(
    process: Process, frontend: Client, agent: Client
) -> None:
    name = await start(frontend)
    passed = await pass_to_queue(frontend, name)
    assert passed.conversation.control.epoch == 2
    assert await refusal(bot_says(frontend, name, "Still here")) == "CONTROL_NOT_HELD"

    await process.accept(name, agent.name)
    assert await refusal(bot_says(frontend, name, "Still here")) == "CONTROL_NOT_HELD"
    assert await refusal(pass_to_queue(frontend, name)) == "CONTROL_NOT_HELD"
    await patient_says(frontend, name, "I am still here")

    await pass_to_queue(agent, name)
    assert await refusal(agent_says(agent, name, "Wait")) == "CONTROL_NOT_HELD"


async def test_a_frontend_speaks_on_its_own_channels_only(
    process: Process, frontend: Client
) -> None:
    name, chat = await start(frontend), await process.frontend("CHAT")
    await join(chat, name)

    assert await refusal(patient_says(frontend, name, "Hi", CHAT)) == "CHANNEL_NOT_JOINED"
    assert await refusal(bot_says(frontend, name, "Hi", VOICE)) == "CHANNEL_NOT_JOINED"
    assert await refusal(patient_says(chat, name, "Hi", SMS)) == "CHANNEL_NOT_JOINED"
    assert await refusal(bot_says(chat, name, "Hi", CHAT)) == "CONTROL_NOT_HELD"


async def test_a_frontend_starts_and_joins_on_channels_of_its_token_only(
    process: Process, frontend: Client
) -> None:
    name, sms = await start(frontend), await process.frontend("SMS")

    assert await refusal(start(sms, CHAT, "chat-1")) == "DENIED_OR_ABSENT"
    assert await refusal(join(sms, name, VOICE, PHONE)) == "DENIED_OR_ABSENT"
    assert await refusal(join(sms, name, SMS, PHONE)) == "CONVERSATION_STATE"


async def test_who_has_nothing_to_do_with_it_may_as_well_ask_for_nothing(
    process: Process, frontend: Client, agent: Client
) -> None:
    name, stranger = await start(frontend), await process.frontend()
    for conversation in (name, NO_CONVERSATION):
        for call in (
            get(stranger, conversation),
            history(stranger, conversation),
            patient_says(stranger, conversation, "Hi"),
            bot_says(stranger, conversation, "Hi"),
            pass_to_queue(stranger, conversation),
            close(stranger, conversation),
            get(agent, conversation),
            history(agent, conversation),
            agent_says(agent, conversation, "Hi"),
            wrap_up(agent, conversation),
            close(agent, conversation),
        ):
            assert await refusal(call) == "DENIED_OR_ABSENT"
    assert await refusal(join(stranger, NO_CONVERSATION)) == "DENIED_OR_ABSENT"
    assert len(await process.events(name)) == 2


async def test_another_tenant_is_told_nothing(process: Process, frontend: Client) -> None:
    name = await start(frontend)
    stranger = await process.frontend(tenant="other")
    supervisor = await process.agent("supervisor", tenant="other")

    for call in (
        get(stranger, name),
        get(supervisor, name),
        history(stranger, name),
        patient_says(stranger, name, "Hi"),
        join(stranger, name),
        close(stranger, name),
    ):
        assert await refusal(call) == "DENIED_OR_ABSENT"
    assert await process.events(name, "other") == []


async def test_only_frontends_start_and_only_agents_wrap_up(
    process: Process, frontend: Client, agent: Client
) -> None:
    name = await start(frontend)

    assert await refusal(start(agent)) == "DENIED_OR_ABSENT"
    assert await refusal(start(await process.service("routing"))) == "DENIED_OR_ABSENT"
    assert await refusal(wrap_up(frontend, name)) == "DENIED_OR_ABSENT"
    auditor = await process.agent("auditor")
    await process.accept(name, auditor.name)
    assert await refusal(get(auditor, name)) == "DENIED_OR_ABSENT"


@pytest.mark.parametrize(("author", "by_agent"), [(AGENT, False), (PATIENT, True), (BOT, True)])
async def test_nobody_speaks_for_another(
    process: Process,
    frontend: Client,
    agent: Client,
    author: "pb.AuthorKind.ValueType",
    by_agent: bool,
) -> None:
    name = await start(frontend)
    await hand_to(process, frontend, agent, name)
    who = agent if by_agent else frontend

    posted = who.conversations.PostMessage(message(name, "Hi", author))

    assert await violation(posted) == "author_kind"


async def test_nothing_is_said_in_a_state_that_does_not_allow_it(
    process: Process, frontend: Client, agent: Client
) -> None:
    name = await start(frontend)
    await hand_to(process, frontend, agent, name)
    assert await refusal(close(agent, name)) == "CONVERSATION_STATE"
    await wrap_up(agent, name)
    assert await refusal(patient_says(frontend, name, "Hi")) == "CONVERSATION_STATE"
    assert await refusal(wrap_up(agent, name)) == "CONVERSATION_STATE"
    await close(agent, name)
    for call in (
        patient_says(frontend, name, "Hi"),
        join(frontend, name),
        pass_to_queue(frontend, name),
        close(agent, name, "ABANDONED"),
    ):
        assert await refusal(call) == "CONVERSATION_STATE"


async def test_a_disposition_is_one_of_the_list(
    process: Process, frontend: Client, agent: Client
) -> None:
    name = await start(frontend)
    await hand_to(process, frontend, agent, name)
    request = api.WrapUpRequest(request_id=request_id(), conversation=name, disposition="WENT_WELL")

    assert await refusal(agent.conversations.WrapUp(request)) == "DISPOSITION_UNKNOWN"


@pytest.mark.parametrize(
    ("channel", "address"),
    [
        (SMS, ""),
        (SMS, "no phone"),
        (SMS, "911"),
        (VOICE, "+1617555"),
        (VOICE, "+16175550123456789"),
        (CHAT, ""),
        (CHAT, "a chat with spaces"),
        (CHAT, "x" * 129),
    ],
)
async def test_an_address_must_be_one_of_its_channel(
    frontend: Client, channel: "pb.Channel.ValueType", address: str
) -> None:
    assert await violation(start(frontend, channel, address)) == "address"


async def test_malformed_fields_are_named(frontend: Client) -> None:
    name = await start(frontend)
    post = frontend.conversations.PostMessage
    stale = message(name, "Hi")
    stale.etag = "two"
    nameless = message(name, "Hi")
    nameless.request_id = "not-a-uuid"
    unknown = message(name, "Hi")
    unknown.channel = 77  # type: ignore[assignment]  # what a newer client may send
    to_agent = api.PassControlRequest(
        request_id=request_id(),
        conversation=name,
        to=pb.Control.HOLDER_KIND_AGENT,
        reason="HANDOFF",
    )
    why = api.PassControlRequest(
        request_id=request_id(), conversation=name, to=pb.Control.HOLDER_KIND_QUEUE, reason="WHIM"
    )

    assert await violation(post(message(name, ""))) == "text"
    assert await violation(post(message(name, "x" * 4097))) == "text"
    assert await violation(post(message("conversations/1", "Hi"))) == "conversation"
    assert await violation(post(message(name, "Hi", pb.AUTHOR_KIND_UNSPECIFIED))) == "author_kind"
    assert await violation(post(message(name, "Hi", PATIENT, pb.CHANNEL_UNSPECIFIED))) == "channel"
    assert await violation(post(unknown)) == "channel"
    assert await violation(post(stale)) == "etag"
    assert await violation(post(nameless)) == "request_id"
    assert await violation(start(frontend, pb.CHANNEL_UNSPECIFIED)) == "channel"
    assert await violation(frontend.conversations.PassControl(to_agent)) == "to"
    assert await violation(frontend.conversations.PassControl(why)) == "reason"
    assert await violation(close(frontend, name, "WHIM")) == "reason"
    assert await violation(get(frontend, "conversations/")) == "name"
    assert len(await history(frontend, name)) == 2


async def test_a_request_id_is_required(frontend: Client) -> None:
    name = await start(frontend)
    nameless = message(name, "Hi")
    nameless.request_id = ""

    assert await refusal(frontend.conversations.PostMessage(nameless)) == "REQUEST_ID_REQUIRED"


async def test_texts_go_up_to_4096_characters_of_any_script(frontend: Client) -> None:
    name, text = await start(frontend), "🩺" * 4096
    await patient_says(frontend, name, text)

    assert (await history(frontend, name))[-1].text == text


async def test_a_message_beyond_the_limit_is_refused_by_its_size(frontend: Client) -> None:
    name = await start(frontend)

    refused = await refusal(patient_says(frontend, name, "x" * 1_100_000))

    assert refused == "MESSAGE_TOO_LARGE"


async def test_purpose_of_use_is_required_to_watch(process: Process) -> None:
    aimless = await process.frontend(purpose="")
    curious = await process.frontend(purpose="PATRQT")
    name = await start(aimless)

    assert await refusal(history(aimless, name)) == "PURPOSE_OF_USE_REQUIRED"
    assert await refusal(history(curious, name)) == "DENIED_OR_ABSENT"
