"""Takes in what a frontend tells of a delivery."""

import hmac

from eventstore.decider import Rejected
from eventstore.errors import EventIdReused
from eventstore.event_log import EventLog
from google.protobuf.message import Message
from runtime.idempotency import Requests
from runtime.request_context import current_request

from conversations.application.commands import Commands
from conversations.application.occasion import Occasion
from conversations.application.outgoing import Codes, Outbox
from conversations.domain import delivery
from conversations.domain.conversation import Conversation, DeliveryStatus, Event
from conversations.domain.delivery import FailureCode


class Acknowledging:
    """Messages get an event; of a code only address and code are deleted."""

    def __init__(
        self,
        commands: Commands,
        requests: Requests,
        log: EventLog,
        outbox: Outbox,
        codes: Codes,
    ) -> None:
        self._commands = commands
        self._requests = requests
        self._log = log
        self._outbox = outbox
        self._codes = codes

    async def acknowledge(
        self,
        frontend: str,
        name: str,
        message: Message,
        *,
        status: DeliveryStatus,
        failure_code: FailureCode | None,
    ) -> int:
        """Give the position of the log that has it, 0 for a code; raises Rejected."""
        tenant = current_request().tenant

        def command(state: Conversation, occasion: Occasion) -> list[Event]:
            return delivery.report(
                state,
                delivery=name,
                frontend=frontend,
                status=status,
                failure_code=failure_code,
                at=occasion.at,
            )

        queued = await self._outbox.find(tenant, frontend, name)
        if queued is not None:
            return (await self._commands.execute(queued.conversation, message, command)).position
        if await self._codes.take(tenant, frontend, name):
            return 0
        return await self._told_before(message)

    async def _told_before(self, message: Message) -> int:
        """Answer a repeated request whose delivery is done with since."""
        request = await self._requests.request_of(message)
        for event in await self._log.recall([request.ids(0)]):
            if not hmac.compare_digest(event.digest, request.digest):
                raise EventIdReused(event.id)
            return event.position
        raise Rejected("DENIED_OR_ABSENT")
