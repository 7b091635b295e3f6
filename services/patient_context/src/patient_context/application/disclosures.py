"""Records that data of a patient are about to be told, before they are."""

from datetime import datetime
from typing import Final

from careline.log.events.v1.events_pb2 import Disclosed
from eventstore.event_log import EventLog, Write
from eventstore.expected_revision import ExpectedRevision
from eventstore.stream_id import StreamId
from runtime.event_codec import LogCodec
from runtime.idempotency import Requests
from runtime.new_id import new_id
from runtime.refusal import Refused
from runtime.request_context import current_request

from patient_context.domain.moment import stamp

COLLECTION: Final = "disclosures"


class Disclosures:
    """Appends to the service's own log; what it raises refuses the disclosure."""

    def __init__(self, log: EventLog, codec: LogCodec, requests: Requests) -> None:
        self._log = log
        self._codec = codec
        self._requests = requests

    async def record(
        self,
        patient: str,
        resource_types: frozenset[str],
        *,
        at: datetime,
        conversation: str = "",
        caller_level: str = "",
    ) -> str:
        """Record a disclosure to the caller of this request and give its name."""
        context = current_request()
        if context.principal is None or context.purpose is None:
            raise Refused("DENIED_OR_ABSENT")
        event = Disclosed(
            patient=patient,
            recipient=context.principal.actor(),
            purpose_of_use=context.purpose,
            resource_types=sorted(resource_types),
            conversation=conversation,
            caller_level=caller_level,
            disclose_time=stamp(at),
        )
        about = new_id()
        request = await self._requests.own_decision(about)
        stream = StreamId(context.tenant, f"{COLLECTION}/{about}")
        encoded = await self._codec.encode(
            stream, patient, [request.ids(0)], [event], request.metadata, request.digest
        )
        await self._log.append(Write(stream, ExpectedRevision.NO_STREAM, encoded))
        return stream.name
