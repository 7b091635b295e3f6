"""The request in which a service notes, for one tenant, what a restored log took back."""

import asyncio
from typing import Final
from uuid import UUID

from eventstore.ids import event_id, request_key
from messaging.retraction import Retraction

from runtime.principal import service_principal
from runtime.request_context import RequestContext

_APPEND_SECONDS: Final = 30.0


def retraction_id(retraction: Retraction) -> UUID:
    """Give the same id for the same retraction, whoever tries it how often."""
    epochs = (str(retraction.from_epoch), str(retraction.to_epoch))
    return event_id(request_key("retraction", retraction.source, *epochs), 0, None)


def retraction_request(
    service: str, action: str, tenant: str, retraction: Retraction
) -> RequestContext:
    """Make the request of a service of its own, which nobody called for."""
    return RequestContext(
        action=action,
        method=action,
        principal=service_principal(service),
        tenant=tenant,
        purpose=None,
        deadline=asyncio.get_running_loop().time() + _APPEND_SECONDS,
        correlation_id=str(retraction_id(retraction)),
    )
