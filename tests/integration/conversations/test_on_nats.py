"""The service between real streams: routing's, which it follows, and its own, which it fills."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
from careline.conversations.events.v1.events_pb2 import ControlPassed
from careline.log.v1.recorded_event_pb2 import EventMetadata
from conftest import CreateDatabase
from conversations.settings import CONSUMES
from eventstore.event import NewEvent
from eventstore.event_log import Write
from eventstore.expected_revision import ExpectedRevision
from eventstore.postgres import PostgresEventLog
from integration.conversations.rig import (
    SERVICE,
    Ground,
    Process,
    accepted_offer,
    ground_on,
    process_on,
)
from integration.conversations.steps import (
    agent_says,
    pass_to_queue,
    patient_says,
    start,
    watching,
)
from integration.messaging.log_rig import LogRig, service_log
from integration.messaging.nats_rig import NatsRig
from integration.messaging.relay_rig import background
from integration.messaging.stream_rig import stream_content
from integration.runtime.rig import eventually
from integration.runtime.vault_rig import VaultRig
from messaging.connect import NatsClient
from messaging.received_event import ReceivedEvent
from messaging.relay import Relay
from runtime.addresses import Peers, ServerUrl
from runtime.new_id import new_id
from runtime.service_messaging import NatsAccess, ServiceMessaging
from runtime.telemetry.event_spans import EventSpans
from runtime.telemetry.telemetry import Telemetry
from sqlalchemy.ext.asyncio import create_async_engine


@dataclass(frozen=True, slots=True)
class Routing:
    """Routing's log, whose relay runs."""

    log: PostgresEventLog

    async def accept(self, conversation: str, agent: str) -> ReceivedEvent:
        """Append that an agent accepted the conversation's offer."""
        event = accepted_offer(conversation, agent)
        new = NewEvent(event.id, event.type, event.data, event.metadata, bytes(32))
        await self.log.append(Write(event.stream, ExpectedRevision.NO_STREAM, (new,)))
        return event


@pytest.fixture
async def ground(create_database: CreateDatabase, vault: VaultRig) -> AsyncIterator[Ground]:
    """A database of each test's own: it remembers how far it followed which log."""
    async with create_database() as database, ground_on(database, vault) as made:
        yield made


@pytest.fixture
async def nats_rig(tmp_path: Path) -> AsyncIterator[NatsRig]:
    rig = NatsRig(tmp_path)
    await rig.start()
    await rig.provision([SERVICE, "routing"], CONSUMES)
    yield rig
    await rig.stop()


@pytest.fixture
async def routing(create_database: CreateDatabase, nats_rig: NatsRig) -> AsyncIterator[Routing]:
    async with (
        create_database() as database,
        service_log(database.engine, "routing") as rig,
        await nats_rig.connect(nats_rig.service("routing")) as client,
        background(_relay(rig, client).run()),
    ):
        yield Routing(rig.log)


def _relay(rig: LogRig, client: NatsClient) -> Relay:
    return Relay(rig.log, rig.engine, rig.schema, "routing", client)


@asynccontextmanager
async def on_nats(ground: Ground, rig: NatsRig) -> AsyncIterator[Process]:
    credentials = rig.service(SERVICE, CONSUMES).text

    async def creds() -> str:
        return credentials

    async with AsyncExitStack() as stack:
        engine = create_async_engine(
            ground.database.url,
            connect_args={"server_settings": {"role": f"{SERVICE}_runtime"}},
            pool_size=10,
        )
        stack.push_async_callback(engine.dispose)

        def messaging(log: PostgresEventLog, telemetry: Telemetry) -> ServiceMessaging:
            return ServiceMessaging(
                SERVICE,
                NatsAccess(ServerUrl.parse(rig.servers[0]), creds),
                log,
                lambda _: engine,
                EventSpans(telemetry.tracer, SERVICE),
            )

        peers = Peers({"routing": "127.0.0.1:9"})
        yield await stack.enter_async_context(process_on(ground, messaging, peers=peers))


async def test_an_accepted_offer_gives_the_agent_control_and_both_are_published(
    ground: Ground, nats_rig: NatsRig, routing: Routing
) -> None:
    async with on_nats(ground, nats_rig) as process:
        frontend, agent = await process.frontend(), await process.agent()
        name = await start(frontend)
        await pass_to_queue(frontend, name)
        async with watching(frontend, name) as watch:
            await watch.entries(3)
            event = await routing.accept(name, agent.name)
            async with asyncio.timeout(10):
                (entry,) = await watch.entries(1)
        await agent_says(agent, name, "Good morning")
        expected = len(await process.events(name))

        async with await nats_rig.connect(nats_rig.administrator()) as administrator:
            own: list[ReceivedEvent] = []

            async def published() -> bool:
                content = await stream_content(
                    administrator, "CARELINE_CONVERSATIONS", expected=100
                )
                own[:] = [one for one in content if one.stream.name == name]
                return len(own) == expected

            await eventually(published)

    assert (entry.event, entry.subject) == ("ControlPassed", agent.name)
    (passed,) = [
        one
        for one in own
        if one.type == ControlPassed.DESCRIPTOR.full_name
        and ControlPassed.FromString(one.data).holder == agent.name
    ]
    cause, effect = (EventMetadata.FromString(one.metadata) for one in (event, passed))
    assert effect.causation_id == str(event.id)
    assert effect.correlation_id == cause.correlation_id
    assert [one.revision for one in own] == list(range(expected))
    assert b"Good morning" not in b"".join(one.data for one in own)


async def test_offers_accepted_while_the_service_was_away_are_taken_in_once_it_is_back(
    ground: Ground, nats_rig: NatsRig, routing: Routing
) -> None:
    agent = f"agents/{new_id()}"
    async with on_nats(ground, nats_rig) as process:
        frontend = await process.frontend()
        name = await start(frontend)
        await pass_to_queue(frontend, name)
    await routing.accept(name, agent)
    async with on_nats(ground, nats_rig) as process:

        async def passed() -> bool:
            return len(await process.events(name)) == 4

        await eventually(passed, within=20)
    async with on_nats(ground, nats_rig) as process:
        await patient_says(await process.same(frontend), name, "Hello?")
        assert len(await process.events(name)) == 5
