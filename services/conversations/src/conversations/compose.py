"""What conversations is made of."""

from datetime import UTC, datetime, timedelta

from careline.conversations.events.v1 import events_pb2
from careline.conversations.v1.call_service_pb2_grpc import add_CallServiceServicer_to_server
from careline.conversations.v1.conversation_service_pb2_grpc import (
    add_ConversationServiceServicer_to_server,
)
from careline.conversations.v1.delivery_service_pb2_grpc import (
    add_DeliveryServiceServicer_to_server,
)
from runtime.service import Service
from runtime.service_runtime import ServiceRuntime
from sealing.value_sealer import ValueSealer

from conversations.adapters.bells import bells_of
from conversations.adapters.caller_assertions import NamedPatients
from conversations.adapters.code_box import SqlCodes
from conversations.adapters.conversation_list import ConversationList
from conversations.adapters.grpc_calls import GrpcCalls
from conversations.adapters.grpc_conversations import GrpcConversations
from conversations.adapters.grpc_deliveries import GrpcDeliveries
from conversations.adapters.history_stream import HistoryStream
from conversations.adapters.listing_projection import ListingProjection
from conversations.adapters.outbox import SqlOutbox
from conversations.adapters.outbox_projection import OutboxProjection
from conversations.application.acknowledging import Acknowledging
from conversations.application.arrivals import Arrivals
from conversations.application.commands import Commands
from conversations.application.current_state import ConversationReader
from conversations.application.delivering import Delivering
from conversations.application.expiring import Expiring
from conversations.application.linking import Linking
from conversations.application.one_time_codes import OneTimeCodes
from conversations.application.reactions import RoutingReactions
from conversations.application.watch_disclosure import Discloser
from conversations.application.watching import Watching
from conversations.settings import ROUTING, ConversationsSettings


async def compose(runtime: ServiceRuntime[ConversationsSettings]) -> None:
    """Carry requests out, show histories, keep the outbox, and follow routing's offers."""
    settings, log, codec, access = runtime.settings, runtime.log, runtime.codec, runtime.access
    requests = runtime.requests
    values = ValueSealer(runtime.keyring)
    commands = Commands(runtime.executor, requests, access, _now)
    reader = ConversationReader(runtime.states)
    arrivals = Arrivals(log, bells_of)
    outbox, codes = SqlOutbox(runtime.queries, values), SqlCodes(runtime.queries, values)
    lifetime = timedelta(seconds=settings.delivery_lifetime_seconds)
    runtime.project(ListingProjection())
    progress = runtime.project(
        OutboxProjection(log, codec, values, runtime.keyring, lifetime=lifetime)
    )

    heartbeat = settings.watch_heartbeat_seconds
    discloser = Discloser(runtime.records, renewal=settings.disclosure_renewal_seconds)
    watching = Watching(log, codec, reader, access, arrivals, discloser, heartbeat=heartbeat)
    delivering = Delivering(log, outbox, codes, progress, arrivals, _now, heartbeat=heartbeat)
    acknowledging = Acknowledging(commands, requests, log, outbox, codes)
    one_time_codes = OneTimeCodes(codes, reader, access, requests, arrivals, _now)
    linking = Linking(
        commands, reader, access, NamedPatients(runtime.caller_assertions), runtime.keyring
    )
    expiring = Expiring(
        outbox, codes, commands, requests, _now, interval=settings.expiry_interval_seconds
    )
    runtime.run(arrivals.run)
    runtime.run(expiring.run)
    reactions = RoutingReactions(commands, requests, ROUTING.durable)
    runtime.consume(
        ROUTING.source,
        ROUTING.purpose,
        reactions.handle,
        retract=runtime.retracted_reactions.retract,
    )

    runtime.serve(
        add_ConversationServiceServicer_to_server,
        GrpcConversations(
            commands,
            reader,
            access,
            linking,
            HistoryStream(log, watching),
            ConversationList(runtime.queries, access),
            log,
        ),
    )
    runtime.serve(add_CallServiceServicer_to_server, GrpcCalls(commands))
    runtime.serve(
        add_DeliveryServiceServicer_to_server,
        GrpcDeliveries(access, delivering, acknowledging, one_time_codes),
    )


def _now() -> datetime:
    return datetime.now(UTC)


CONVERSATIONS = Service("conversations", ConversationsSettings, (events_pb2,), compose)
