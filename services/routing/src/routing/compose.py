"""What routing is made of."""

from collections.abc import Callable
from datetime import UTC, datetime

from careline.routing.events.v1 import events_pb2
from careline.routing.v1.agent_desk_service_pb2_grpc import add_AgentDeskServiceServicer_to_server
from careline.routing.v1.queue_service_pb2_grpc import add_QueueServiceServicer_to_server
from careline.routing.v1.routing_service_pb2_grpc import add_RoutingServiceServicer_to_server
from runtime.new_id import new_id
from runtime.service import Service
from runtime.service_runtime import ServiceRuntime

from routing.adapters.grpc_agent_desk import GrpcAgentDesk
from routing.adapters.grpc_queues import GrpcQueues
from routing.adapters.grpc_routing import GrpcRouting
from routing.application.boards import Boards
from routing.application.contacts import Contacts
from routing.application.dispatcher import Dispatcher
from routing.application.reactions import ConversationReactions
from routing.settings import CONVERSATIONS, RoutingSettings


async def compose(
    runtime: ServiceRuntime[RoutingSettings],
    *,
    now: Callable[[], datetime] = lambda: datetime.now(UTC),
) -> None:
    """Keep the boards, ask agents, and serve frontends, agents and operators."""
    requests = runtime.requests
    boards = Boards(runtime.log, runtime.codec)
    contacts = Contacts(runtime.executor, runtime.joint, boards, now=now)
    dispatcher = Dispatcher(boards, runtime.joint, requests, new_id=new_id, now=now)
    reactions = ConversationReactions(boards, contacts, requests, CONVERSATIONS.durable)
    desk = GrpcAgentDesk(
        contacts, boards, requests, heartbeat_seconds=runtime.settings.offer_heartbeat_seconds
    )
    runtime.run(boards.run)
    runtime.run(dispatcher.run)
    runtime.consume(
        CONVERSATIONS.source,
        CONVERSATIONS.purpose,
        reactions.handle,
        retract=runtime.retracted_reactions.retract,
    )
    runtime.serve(add_RoutingServiceServicer_to_server, GrpcRouting(contacts, requests))
    runtime.serve(add_AgentDeskServiceServicer_to_server, desk)
    runtime.serve(add_QueueServiceServicer_to_server, GrpcQueues(contacts, requests))


ROUTING = Service("routing", RoutingSettings, (events_pb2,), compose)
