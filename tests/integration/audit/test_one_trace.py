"""One trace id runs from a frontend's call through append, relay and consumer to audit's record."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
from careline.conversations.events.v1.events_pb2 import MessagePosted
from conftest import CreateDatabase
from conversations.settings import CONSUMES
from eventstore.postgres import PostgresEventLog
from integration.audit import rig as audit
from integration.conversations import rig as conversations
from integration.conversations.linking import ConversationLinks
from integration.conversations.steps import hand_to, history, patient_says, start
from integration.messaging.stream_rig import stream_content
from integration.runtime.rig import eventually
from integration.runtime.vault_rig import VaultRig
from messaging.received_event import ReceivedEvent
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.trace import SpanKind
from runtime.addresses import Peers, ServerUrl
from runtime.new_id import new_id
from runtime.service_messaging import NatsAccess, ServiceMessaging
from runtime.telemetry.event_spans import EventSpans
from runtime.telemetry.telemetry import Telemetry
from sqlalchemy.ext.asyncio import create_async_engine

TEXT = "Is my knee operation on Monday?"
SERVICE = "careline.conversations.v1.ConversationService"
WAY = [
    # Name of the span, its kind, and the index of the one that it is a child of.
    ("PostMessage", SpanKind.CLIENT, None),
    ("PostMessage", SpanKind.SERVER, 0),
    ("append", SpanKind.INTERNAL, 1),
    ("send CARELINE_CONVERSATIONS", SpanKind.PRODUCER, 1),
    ("process CARELINE_CONVERSATIONS", SpanKind.CONSUMER, 1),
    ("append", SpanKind.INTERNAL, 4),
    ("send CARELINE_AUDIT", SpanKind.PRODUCER, 4),
]


@dataclass(frozen=True, slots=True)
class Platform:
    """Conversations and audit, each as its compose.py makes it, on one NATS."""

    conversations: conversations.Process
    audit: audit.Process

    async def trace(self, trace_id: str, spans: int) -> list[ReadableSpan]:
        """Give a trace's spans of both services, once there are so many, in order of beginning."""
        found: list[ReadableSpan] = []

        async def all_ended() -> bool:
            found[:] = [
                span
                for exporter in (self.conversations.spans, self.audit.spans)
                for span in exporter.get_finished_spans()
                if span.context is not None and f"{span.context.trace_id:032x}" == trace_id
            ]
            return len(found) >= spans

        await eventually(all_ended)
        return sorted(found, key=lambda span: span.start_time or 0)

    async def published(self, stream: str, event_id: str) -> ReceivedEvent:
        """Give an event as JetStream has it, of the service or of what audit made of it."""
        nats = self.audit.ground.nats
        async with await nats.connect(nats.administrator()) as client:
            content = await stream_content(client, stream, expected=1000)
        (event,) = [
            one for one in content if str(one.id) == event_id or event_id.encode() in one.data
        ]
        return event


@asynccontextmanager
async def conversations_on(
    ground: conversations.Ground, platform: audit.Ground
) -> AsyncIterator[conversations.Process]:
    """Run conversations with its relay on audit's NATS."""
    credentials = platform.nats.service(conversations.SERVICE, CONSUMES).text

    async def text_of() -> str:
        return credentials

    async with AsyncExitStack() as stack:
        role = {"server_settings": {"role": f"{conversations.SERVICE}_runtime"}}
        engine = create_async_engine(ground.database.url, connect_args=role)
        stack.push_async_callback(engine.dispose)

        def relaying(log: PostgresEventLog, telemetry: Telemetry) -> ServiceMessaging:
            return ServiceMessaging(
                conversations.SERVICE,
                NatsAccess(ServerUrl.parse(platform.nats.servers[0]), text_of),
                log,
                lambda _: engine,
                EventSpans(telemetry.tracer, conversations.SERVICE),
            )

        peers = Peers({"routing": audit.NOWHERE})
        yield await stack.enter_async_context(
            conversations.process_on(ground, relaying, peers=peers)
        )


@pytest.fixture(scope="module")
async def platform(
    create_database: CreateDatabase, vault: VaultRig, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Platform]:
    folder: Path = tmp_path_factory.mktemp("trace")
    async with (
        create_database() as ours,
        create_database() as theirs,
        audit.ground_on(ours, vault, folder, sources=()) as ground,
        conversations.ground_on(theirs, vault) as their_ground,
    ):
        await ground.nats.provision((), CONSUMES)
        async with (
            conversations_on(their_ground, ground) as speaking,
            audit.process_on(ground) as auditing,
        ):
            yield Platform(speaking, auditing)


def way(spans: list[ReadableSpan]) -> list[tuple[str, SpanKind, int | None]]:
    """Say of each span what it is and whose child."""
    ids = [span.context.span_id if span.context else 0 for span in spans]
    return [
        (
            span.name.removeprefix(f"{SERVICE}/"),
            span.kind,
            None if span.parent is None else ids.index(span.parent.span_id),
        )
        for span in spans
    ]


async def test_one_trace_id_runs_from_a_frontends_call_to_audits_record(
    platform: Platform,
) -> None:
    frontend = await platform.conversations.frontend()
    name = await start(frontend)
    answer = await patient_says(frontend, name, TEXT)
    auditor = await platform.audit.auditor()
    await auditor.follows("conversations", answer.position)
    (entry,) = [
        one
        for one in await auditor.actions(stream=name)
        if one.type == MessagePosted.DESCRIPTOR.full_name
    ]
    spans = await platform.trace(entry.trace_id, len(WAY))
    source = await platform.published("CARELINE_CONVERSATIONS", entry.event_id)
    record = await platform.published("CARELINE_AUDIT", entry.event_id)

    assert way(spans) == WAY
    assert source.traceparent.split("-")[1] == entry.trace_id
    assert record.traceparent.split("-")[1] == entry.trace_id
    assert await auditor.actions(trace_id=entry.trace_id) == [entry]
    assert TEXT not in "".join(span.to_json() for span in spans)


async def test_the_trace_of_an_agents_look_leads_to_the_access_on_record(
    platform: Platform,
) -> None:
    process = platform.conversations
    frontend, agent = await process.frontend(), await process.agent()
    name, patient = await start(frontend), f"patients/{new_id()}"
    await ConversationLinks(process, frontend).link(name, patient)
    await hand_to(process, frontend, agent, name)
    await patient_says(frontend, name, TEXT)
    assert TEXT in [line.text for line in await history(agent, name)]
    head = await process.serving.runtime.log.head()
    auditor = await platform.audit.auditor()
    (access,) = await auditor.accesses(
        patient=patient, at_least_service="conversations", at_least=head.position
    )
    spans = await platform.trace(access.trace_id, len(WAY))

    assert (access.recipient.name, access.conversation) == (agent.name, name)
    assert access.action == "conversations.watchConversation"
    assert way(spans) == [
        (step.replace("PostMessage", "WatchConversation"), kind, of) for step, kind, of in WAY
    ]
    assert [one.service for one in await auditor.actions(trace_id=access.trace_id)] == [
        "conversations"
    ]
    assert TEXT not in "".join(span.to_json() for span in spans)
