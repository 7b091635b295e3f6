"""Takes a one-time code in for the frontend that is to send it."""

from datetime import datetime, timedelta
from typing import Final

from eventstore.stream_id import StreamId
from google.protobuf.message import Message
from google.protobuf.timestamp_pb2 import Timestamp
from runtime.access import Access
from runtime.idempotency import Requests
from runtime.refusal import Refused, field_invalid
from runtime.request_context import current_request

from conversations.application.arrivals import Arrivals
from conversations.application.commands import Clock
from conversations.application.current_state import ConversationReader
from conversations.application.delivering import bell_of
from conversations.application.occasion import Occasion
from conversations.application.outgoing import Codes, NewCode
from conversations.application.relations import require_access
from conversations.domain.conversation import Channel
from conversations.domain.one_time_code import sender_of

LONGEST_LIFE: Final = timedelta(minutes=15)


class OneTimeCodes:
    """Keeps codes sealed under their conversation, and nowhere else."""

    def __init__(
        self,
        codes: Codes,
        reader: ConversationReader,
        access: Access,
        requests: Requests,
        arrivals: Arrivals,
        clock: Clock,
    ) -> None:
        self._codes = codes
        self._reader = reader
        self._access = access
        self._requests = requests
        self._arrivals = arrivals
        self._clock = clock

    async def enqueue(
        self,
        name: str,
        message: Message,
        *,
        channel: Channel,
        address: str,
        code: str,
        expire_time: datetime,
    ) -> str:
        """Give the delivery's name, the same for the same request; raises Rejected."""
        tenant = current_request().tenant
        request = await self._requests.request_of(message)
        state = (await self._reader.read(StreamId(tenant, name))).state
        require_access(self._access, name, state)
        now = self._clock()
        if not now < expire_time <= now + LONGEST_LIFE:
            raise field_invalid("expire_time", "a time to come, at most 15 minutes away")
        new = NewCode(
            Occasion(Timestamp(), request).name("deliveries"),
            name,
            channel,
            sender_of(state, channel),
            request.digest,
            expire_time,
            address,
            code,
        )
        if not await self._codes.put(tenant, new):
            raise Refused("REQUEST_ID_REUSED")
        self._arrivals.ring(bell_of(tenant, new.frontend))
        return new.name
