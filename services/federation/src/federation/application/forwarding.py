"""Gives each event of conversations to the partners whose contracts cover it: its clear part."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC
from typing import Final, Protocol

from messaging.headers import MESSAGE_ID
from messaging.received_event import ReceivedEvent
from sqlalchemy.ext.asyncio import AsyncConnection

from federation.application.clear_part import clear_part, forwardable_types
from federation.application.partners import Partner, Partners

CATCH_UP_SECONDS: Final = 10.0


@dataclass(frozen=True, slots=True)
class Forwarded:
    """A message for one partner: the clear part, under CloudEvents' names."""

    subject: str
    headers: Mapping[str, str]
    data: bytes


class Outbox(Protocol):
    """Keeps messages until the partner's stream has them."""

    async def put(
        self,
        connection: AsyncConnection,
        partner: Partner,
        message: Forwarded,
        *,
        epoch: int,
        position: int,
        always: bool = False,
    ) -> None:
        """Add a message behind all others of the partner's, in the caller's transaction.

        `always`: also when so many wait that an event would be left out.
        """


class ConversationForwarding:
    """Handles conversations' events; a partner that can't be reached holds up nobody."""

    def __init__(self, partners: Partners, outbox: Outbox) -> None:
        self._partners = partners
        self._outbox = outbox
        self._types = forwardable_types()

    async def handle(self, connection: AsyncConnection, event: ReceivedEvent) -> None:
        kind = self._types.get(event.type)
        if kind is None:
            return
        # A contract that was made before the event is known before the event is handled.
        await self._partners.caught_up(CATCH_UP_SECONDS)
        receivers = self._partners.receiving(event.stream.tenant, event.type, event.recorded_at)
        if not receivers:
            return
        data = clear_part(kind, event.data)
        for partner in receivers:
            message = Forwarded(
                forwarded_subject(partner.contract.partner_key, event), headers_of(event), data
            )
            await self._outbox.put(
                connection, partner, message, epoch=event.epoch, position=event.position
            )


def forwarded_subject(partner_key: str, event: ReceivedEvent) -> str:
    """Return `fed.<key>.<tenant>.<aggregate id>.<Event>`; each is one token by its own rule."""
    name = event.type.rpartition(".")[2]
    return f"fed.{partner_key}.{event.stream.tenant}.{event.stream.id}.{name}"


def headers_of(event: ReceivedEvent) -> dict[str, str]:
    """Say what the event is and where it stands; who caused it and its trace stay here."""
    return {
        MESSAGE_ID: str(event.id),
        "ce-specversion": "1.0",
        "ce-id": str(event.id),
        "ce-type": event.type,
        "ce-source": f"careline/{event.source}",
        "ce-subject": event.stream.name,
        "ce-time": event.recorded_at.astimezone(UTC).isoformat(),
        "ce-datacontenttype": "application/protobuf",
        "careline-tenant": event.stream.tenant,
        "careline-epoch": str(event.epoch),
        "careline-position": str(event.position),
        "careline-revision": str(event.revision),
    }
