"""What conversations do because of what happened in routing."""

from typing import Final

from careline.routing.events.v1.events_pb2 import OfferAccepted
from messaging.received_event import ReceivedEvent
from runtime.idempotency import Requests
from sqlalchemy.ext.asyncio import AsyncConnection

from conversations.application.commands import Commands
from conversations.domain.control import take_by_offer

ACCEPTED: Final = OfferAccepted.DESCRIPTOR.full_name


class RoutingReactions:
    """Gives control to the agent who accepted the offer of a conversation."""

    def __init__(self, commands: Commands, requests: Requests, consumer: str) -> None:
        self._commands = commands
        self._requests = requests
        self._consumer = consumer

    async def handle(self, _: AsyncConnection, event: ReceivedEvent) -> None:
        """React once to an event, however often it comes: the append knows its own ids."""
        if event.type != ACCEPTED:
            return
        accepted = OfferAccepted.FromString(event.data)
        await self._commands.decide_oneself(
            accepted.conversation,
            await self._requests.reaction_to(event, consumer=self._consumer),
            lambda state, occasion: take_by_offer(state, agent=accepted.agent, at=occasion.at),
        )
