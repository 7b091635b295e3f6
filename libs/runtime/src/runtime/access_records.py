"""Facts about access that every service appends to its own log, for audit to build on."""

import logging
import time
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Final

from careline.log.events.v1.events_pb2 import AccessRefused, Disclosed, LogRead
from eventstore.expected_revision import ExpectedRevision
from eventstore.stream_id import StreamId
from google.protobuf.message import Message
from google.protobuf.timestamp_pb2 import Timestamp

from runtime.errors import refusal_of
from runtime.event_recorder import EventRecorder
from runtime.idempotency import Requests
from runtime.new_id import new_id
from runtime.principal import PrincipalKind
from runtime.refusal import Refused
from runtime.request_context import RequestContext, acting_in, current_request
from runtime.tenant import is_tenant

_log = logging.getLogger(__name__)
ACCESS_EVENTS: Final[tuple[type[Message], ...]] = (AccessRefused, Disclosed, LogRead)
_MOST_REFUSALS_A_SECOND: Final = 20


class AccessRecords:
    """Appends disclosures, refusals and reads of the log."""

    def __init__(self, recorder: EventRecorder, requests: Requests) -> None:
        self._recorder = recorder
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
        at: datetime | None = None,
    ) -> str:
        """Record that the current request is about to be answered with data of a patient.

        Gives the record's name, "disclosures/{id}"; `at` is the time of the decision, if not now.
        The answer may leave only after this returned: what it raises refuses the disclosure.
        """
        request = current_request()
        if request.principal is None or request.purpose is None:
            raise Refused("DENIED_OR_ABSENT")
        event = Disclosed(
            patient=patient,
            recipient=request.principal.actor(),
            purpose_of_use=request.purpose,
            resource_types=resource_types,
            conversation=conversation,
            caller_level=caller_level,
            disclose_time=_now() if at is None else _stamp(at),
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

    async def _append(self, collection: str, event: Message) -> str:
        """Append an event to a stream of its own and give the stream's name."""
        about = new_id()
        request = await self._requests.own_decision(about)
        stream = StreamId(current_request().tenant, f"{collection}/{about}")
        await self._recorder.append(stream, event, request, expected=ExpectedRevision.NO_STREAM)
        return stream.name

    def _is_too_often(self) -> bool:
        second = int(time.monotonic())
        if second != self._second:
            self._second, self._refusals = second, 0
        self._refusals += 1
        return self._refusals > _MOST_REFUSALS_A_SECOND


def _now() -> Timestamp:
    return _stamp(datetime.now(UTC))


def _stamp(moment: datetime) -> Timestamp:
    timestamp = Timestamp()
    timestamp.FromDatetime(moment)
    return timestamp
