"""The probe service as any other is composed: it creates agents, and consumes their creation."""

from typing import Any
from uuid import UUID

from careline.identity.events.v1 import events_pb2
from careline.identity.events.v1.events_pb2 import AgentCreated, AgentSuspended
from eventstore.decider import Decider, Rejected
from eventstore.stream_id import StreamId
from integration.runtime.probe.api import Answer, ProbeApi, Request, add_probe
from messaging.received_event import ReceivedEvent
from runtime.request_context import current_request
from runtime.service import Service
from runtime.service_runtime import ServiceRuntime
from runtime.settings import ServiceSettings
from sqlalchemy.ext.asyncio import AsyncConnection

COUNTS: Decider[int, object] = Decider(0, lambda count, _: count + 1)
PERSON = "Zebulon Canaryson"


class Probe(ProbeApi):
    """Creates the agent of a request, once; suspends it when its creation is heard of."""

    def __init__(self, runtime: ServiceRuntime[ServiceSettings]) -> None:
        super().__init__()
        self._runtime = runtime
        self.one = self._create
        self.heard: list[ReceivedEvent] = []

    async def _create(self, request: Request) -> Answer:
        name = f"agents/{UUID(request.stream)}"

        def create(count: int) -> list[object]:
            if count:
                raise Rejected("NAME_TAKEN", state="taken")
            return [AgentCreated(user_name=PERSON, display_name=PERSON, roles=["agent"])]

        done = await self._runtime.executor.execute(
            StreamId(current_request().tenant, name),
            COUNTS,
            create,
            subject=name,
            request=await self._runtime.requests.request_of(request, request.stream),
        )
        return Answer(head_position=done.position)

    async def hear(self, _: AsyncConnection, event: ReceivedEvent) -> None:
        self.heard.append(event)
        if event.type != AgentCreated.DESCRIPTOR.full_name:
            return
        name = event.stream.name
        await self._runtime.executor.execute(
            StreamId(event.stream.tenant, name),
            COUNTS,
            lambda _: [AgentSuspended(reason="probed")],
            subject=name,
            request=await self._runtime.requests.reaction_to(event, consumer="audit_probe"),
        )


async def compose(runtime: ServiceRuntime[ServiceSettings]) -> None:
    probe = Probe(runtime)
    runtime.serve(add_probe, probe)
    if runtime.service == "audit":
        runtime.consume("routing", "probe", probe.hear)


SERVICE: Service[Any] = Service(
    "integration.runtime.probe", ServiceSettings, (events_pb2,), compose
)
