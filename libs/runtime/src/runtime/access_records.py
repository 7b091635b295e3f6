"""Facts about access that every service appends to its own log, for audit to build on."""

import logging
import time
from collections.abc import Sequence
from typing import Final

from careline.log.events.v1.events_pb2 import AccessRefused, Disclosed, LogRead
from eventstore.event_log import EventLog, Write
from eventstore.expected_revision import ExpectedRevision
from eventstore.stream_id import StreamId
from google.protobuf.message import Message
from google.protobuf.timestamp_pb2 import Timestamp

from runtime.errors import refusal_of
from runtime.event_codec import LogCodec
from runtime.idempotency import Requests
from runtime.new_id import new_id
from runtime.principal import PrincipalKind
from runtime.request_context import RequestContext, acting_in, current_request
from runtime.tenant import is_tenant

_log = logging.getLogger(__name__)
ACCESS_EVENTS: Final[tuple[type[Message], ...]] = (AccessRefused, Disclosed, LogRead)
_MOST_REFUSALS_A_SECOND: Final = 20


class AccessRecords:
    """Appends disclosures, refusals and reads of the log."""

    def __init__(self, log: EventLog, codec: LogCodec, requests: Requests) -> None:
        self._log = log
        self._codec = codec
        self._requests = requests
        self._second = 0
        self._refusals = 0

    async def disclosed(
        self,
        patient: str,
        resource_types: Sequence[str],
        *,
        conversation: str = "",
        caller_level: str = "",
        obligations: Sequence[str] = (),
    ) -> int:
        """Record that the current request is about to be answered with data of a patient.

        Gives the position. The answer may leave only after this returned: what it raises refuses
        the disclosure.
        """
        request = current_request()
        event = Disclosed(
            patient=patient,
            recipient=request.principal.actor() if request.principal else None,
            purpose_of_use=request.purpose or "",
            resource_types=resource_types,
            conversation=conversation,
            caller_level=caller_level,
            disclose_time=_now(),
            obligations=obligations,
        )
        return await self._append("disclosures", event)

    async def refused(self, request: RequestContext) -> None:
        """Record that policy refused a request; the refusal stands whether or not this works.

        At most 20 a second are recorded, so that nobody can fill the log by being refused.
        """
        if not is_tenant(request.tenant) or self._is_too_often():
            _log.warning("a refusal is not recorded", extra={"action": request.action})
            return
        event = AccessRefused(
            action=request.action,
            principal=request.principal.actor() if request.principal else None,
            purpose_of_use=request.purpose or "",
            refuse_time=_now(),
        )
        try:
            with acting_in(request):
                await self._append("refusals", event)
        except Exception as error:
            if refusal_of(error) is None:
                raise
            _log.warning("a refusal is not recorded", extra={"action": request.action})

    async def log_read(self, request: RequestContext, after_position: int, stream: str) -> None:
        """Record that somebody who is no service reads this log; raises when that fails."""
        reader = request.principal
        if reader is None or reader.kind is PrincipalKind.SERVICE:
            return
        await self._append(
            "logReads",
            LogRead(
                reader=reader.actor(),
                after_position=after_position,
                stream=stream,
                read_time=_now(),
            ),
        )

    async def _append(self, collection: str, event: Message) -> int:
        about = new_id()
        tenant = current_request().tenant
        request = await self._requests.own_decision(about)
        stream = StreamId(tenant, f"{collection}/{about}")
        encoded = await self._codec.encode(
            stream,
            f"tenants/{tenant}",
            [request.ids(0)],
            [event],
            request.metadata,
            request.digest,
        )
        write = Write(stream, ExpectedRevision.NO_STREAM, encoded)
        return (await self._log.append(write)).position

    def _is_too_often(self) -> bool:
        second = int(time.monotonic())
        if second != self._second:
            self._second, self._refusals = second, 0
        self._refusals += 1
        return self._refusals > _MOST_REFUSALS_A_SECOND


def _now() -> Timestamp:
    timestamp = Timestamp()
    timestamp.GetCurrentTime()
    return timestamp
