"""Names of attributes and metrics: semantic conventions first, else `careline.*`."""

from typing import Final

from opentelemetry.semconv._incubating.attributes import messaging_attributes, rpc_attributes
from opentelemetry.semconv._incubating.metrics import rpc_metrics
from opentelemetry.semconv.attributes import error_attributes

RPC_SYSTEM: Final = rpc_attributes.RPC_SYSTEM_NAME
RPC_METHOD: Final = rpc_attributes.RPC_METHOD
RPC_STATUS: Final = rpc_attributes.RPC_RESPONSE_STATUS_CODE
ERROR_TYPE: Final = error_attributes.ERROR_TYPE
MESSAGING_SYSTEM: Final = messaging_attributes.MESSAGING_SYSTEM
MESSAGING_OPERATION: Final = messaging_attributes.MESSAGING_OPERATION_NAME
MESSAGING_OPERATION_TYPE: Final = messaging_attributes.MESSAGING_OPERATION_TYPE
MESSAGING_DESTINATION: Final = messaging_attributes.MESSAGING_DESTINATION_NAME
MESSAGING_CONSUMER: Final = messaging_attributes.MESSAGING_CONSUMER_GROUP_NAME
MESSAGING_COUNT: Final = messaging_attributes.MESSAGING_BATCH_MESSAGE_COUNT
MESSAGING_ID: Final = messaging_attributes.MESSAGING_MESSAGE_ID

TENANT: Final = "careline.tenant"
ACTION: Final = "careline.action"
INCIDENT: Final = "careline.incident"
EVENT_TYPE: Final = "careline.event.type"
STREAM: Final = "careline.stream"
POSITION: Final = "careline.position"
REVISION: Final = "careline.revision"
EVENTS: Final = "careline.events"
DUPLICATE: Final = "careline.duplicate"

SERVER_DURATION: Final = rpc_metrics.RPC_SERVER_CALL_DURATION
CLIENT_DURATION: Final = rpc_metrics.RPC_CLIENT_CALL_DURATION

SPAN_ATTRIBUTES: Final = frozenset(
    {
        RPC_SYSTEM,
        RPC_METHOD,
        RPC_STATUS,
        ERROR_TYPE,
        MESSAGING_SYSTEM,
        MESSAGING_OPERATION,
        MESSAGING_OPERATION_TYPE,
        MESSAGING_DESTINATION,
        MESSAGING_CONSUMER,
        MESSAGING_COUNT,
        MESSAGING_ID,
        TENANT,
        ACTION,
        INCIDENT,
        EVENT_TYPE,
        STREAM,
        POSITION,
        REVISION,
        EVENTS,
        DUPLICATE,
    }
)
