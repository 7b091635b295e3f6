"""How a service notes, for one tenant, what a restored log took back."""

import asyncio
from typing import Final
from uuid import UUID

from eventstore.expected_revision import ExpectedRevision
from eventstore.ids import event_id, request_key
from eventstore.stream_id import StreamId
from google.protobuf.message import Message
from messaging.retraction import Retraction

from runtime.event_recorder import EventRecorder
from runtime.idempotency import Requests
from runtime.principal import service_principal
from runtime.request_context import RequestContext, acting_in

_APPEND_SECONDS: Final = 30.0


def retraction_id(retraction: Retraction) -> UUID:
    """Give the same id for the same retraction, whoever tries it how often."""
    epochs = (str(retraction.from_epoch), str(retraction.to_epoch))
    return event_id(request_key("retraction", retraction.source, *epochs), 0, None)


async def record_retraction(
    recorder: EventRecorder,
    requests: Requests,
    retraction: Retraction,
    stream: StreamId,
    event: Message,
    *,
    service: str,
    method: str,
) -> None:
    """Append what a retraction is to a tenant; a second try appends none.

    `method` is as "retractEntries", done by the service itself: nobody called for it.
    """
    with acting_in(_request(service, f"{service}.{method}", stream.tenant, retraction)):
        request = await requests.own_decision(retraction_id(retraction))
        await recorder.append(stream, event, request, expected=ExpectedRevision.ANY)


def _request(service: str, action: str, tenant: str, retraction: Retraction) -> RequestContext:
    return RequestContext(
        action=action,
        method=action,
        principal=service_principal(service),
        tenant=tenant,
        purpose=None,
        deadline=asyncio.get_running_loop().time() + _APPEND_SECONDS,
        correlation_id=str(retraction_id(retraction)),
    )
