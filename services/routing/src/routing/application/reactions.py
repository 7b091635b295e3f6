"""What routing does because of what happened in conversations."""

from typing import Final

from careline.conversations.events.v1.events_pb2 import ConversationClosed
from eventstore.decider import Rejected
from messaging.received_event import ReceivedEvent
from runtime.idempotency import Requests
from runtime.request_context import current_request
from sqlalchemy.ext.asyncio import AsyncConnection

from routing.application.boards import Boards
from routing.application.contacts import Contacts

CLOSED: Final = ConversationClosed.DESCRIPTOR.full_name
BOARD_SECONDS: Final = 10.0


class ConversationReactions:
    """Takes the contact of a closed conversation out of its queue."""

    def __init__(
        self, boards: Boards, contacts: Contacts, requests: Requests, consumer: str
    ) -> None:
        self._boards = boards
        self._contacts = contacts
        self._requests = requests
        self._consumer = consumer

    async def handle(self, _: AsyncConnection, event: ReceivedEvent) -> None:
        if event.type != CLOSED:
            return
        # The contact may have been queued a moment ago.
        await self._boards.caught_up(BOARD_SECONDS)
        contact = self._boards[current_request().tenant].contact_of(event.stream.name)
        if contact is None:
            return
        request = await self._requests.reaction_to(event, consumer=self._consumer)
        try:
            await self._contacts.leave(contact, "CLOSED", request)
        except Rejected as refusal:
            # An agent works it: he completes it when his after-contact work is done.
            if refusal.reason != "CONTACT_STATE":
                raise
