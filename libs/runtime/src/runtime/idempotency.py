"""What a repeated request is known by, and what its events remember of it."""

import hashlib
import hmac
from datetime import UTC, datetime
from typing import Final, Protocol
from uuid import UUID

from careline.log.v1.recorded_event_pb2 import EventMetadata
from eventstore.execute import Request
from eventstore.ids import event_id, request_key, time_of
from google.protobuf.message import Message
from messaging.received_event import ReceivedEvent

from runtime.refusal import Refused, field_invalid
from runtime.request_context import RequestContext, current_request
from runtime.tenant import is_tenant

DIGEST_PURPOSE: Final = "request-digest"


class IndexKeys(Protocol):
    """Derives keys for a tenant and purpose: sealing's Keyring."""

    async def index_key(self, tenant: str, purpose: str) -> bytes: ...


class Requests:
    """Makes the eventstore's Request of what is being served.

    One request that appends to several streams by several appends tells them apart by `part`, for
    each part has ids of its own.
    """

    def __init__(self, keys: IndexKeys) -> None:
        self._keys = keys

    async def request_of(
        self, message: Message, request_id: str | None = None, *, part: str = ""
    ) -> Request:
        """Make the Request of a message, whose field `request_id` counts unless one is given.

        The digest covers method, part and the whole message. Raises Refused for a request id that
        is missing or no UUID, and for a caller that acts for no tenant.
        """
        context = current_request()
        given = request_id_of(
            getattr(message, "request_id", "") if request_id is None else request_id
        )
        key = _key(context, context.method, part, str(given))
        content = message.SerializeToString(deterministic=True)
        digest = await self._digest(context, context.method, part, content)
        return _request(key, digest, time_of(given), context)

    async def reaction_to(self, event: ReceivedEvent, *, consumer: str, part: str = "") -> Request:
        """Make the Request of a reaction: an event handled twice appends once."""
        context = current_request()
        method = f"consumer/{consumer}"
        key = _key(context, method, part, str(event.id))
        digest = await self._digest(context, method, part, event.id.bytes)
        return _request(key, digest, _milliseconds(event.recorded_at), context)

    async def own_decision(self, about: UUID) -> Request:
        """Make the Request of what a service decides by itself, once for each id and method."""
        context = current_request()
        key = _key(context, context.method, "", str(about))
        digest = await self._digest(context, context.method, "", about.bytes)
        return _request(key, digest, time_of(about), context)

    async def _digest(
        self, context: RequestContext, method: str, part: str, content: bytes
    ) -> bytes:
        key = await self._keys.index_key(context.tenant, DIGEST_PURPOSE)
        framed = request_key(method, part) + content
        return hmac.new(key, framed, hashlib.sha256).digest()


def metadata_of(context: RequestContext) -> EventMetadata:
    """Say who causes an event, why, and in which trace."""
    return EventMetadata(
        actor=context.principal.actor() if context.principal else None,
        purpose_of_use=context.purpose or "",
        correlation_id=context.correlation_id,
        causation_id=context.causation_id,
        traceparent=context.traceparent,
        tracestate=context.tracestate,
        action=context.action,
        cause=context.cause,
    )


def _key(context: RequestContext, method: str, part: str, request_id: str) -> bytes:
    if not is_tenant(context.tenant):
        raise field_invalid("careline-tenant", "the one tenant that the call is for")
    principal = context.principal.name if context.principal else ""
    return request_key(context.tenant, principal, method, part, request_id)


def _request(key: bytes, digest: bytes, time_ms: int | None, context: RequestContext) -> Request:
    return Request(
        lambda ordinal: event_id(key, ordinal, time_ms),
        digest,
        metadata_of(context).SerializeToString(deterministic=True),
    )


def request_id_of(text: str) -> UUID:
    """Read a request id; raises Refused for one that is missing or no UUID with hyphens."""
    if not text:
        raise Refused("REQUEST_ID_REQUIRED")
    try:
        given = UUID(text)
    except ValueError:
        raise field_invalid("request_id", "a UUIDv7") from None
    if str(given) != text.lower():
        raise field_invalid("request_id", "a UUIDv7 with hyphens")
    return given


def _milliseconds(time: datetime) -> int:
    return int(time.astimezone(UTC).timestamp() * 1000)
