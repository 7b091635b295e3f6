"""Gives up what nobody sent out in time."""

import asyncio
import logging
from typing import Final
from uuid import UUID

from runtime.errors import refusal_of
from runtime.idempotency import Requests
from runtime.incident import type_name
from runtime.principal import service_principal
from runtime.request_context import RequestContext, acting_in

from conversations.application.commands import Clock, Commands
from conversations.application.outgoing import Codes, Outbox, Queued
from conversations.domain import delivery

_log = logging.getLogger(__name__)
_ACTION: Final = "conversations.expireDelivery"
_BATCH: Final = 100
_APPEND_SECONDS: Final = 10.0
_LOOK_SECONDS: Final = 60.0


class Expiring:
    """Looks every `interval` seconds. Several processes may: what one gave up is given up."""

    def __init__(
        self,
        outbox: Outbox,
        codes: Codes,
        commands: Commands,
        requests: Requests,
        clock: Clock,
        *,
        interval: float,
    ) -> None:
        self._outbox = outbox
        self._codes = codes
        self._commands = commands
        self._requests = requests
        self._clock = clock
        self._interval = interval

    async def run(self) -> None:
        """Look until cancelled; what is away now is tried at the next look."""
        while True:
            try:
                async with asyncio.timeout(_LOOK_SECONDS):
                    await self.look()
            except Exception as error:
                if refusal_of(error) is None:
                    raise
                _log.warning("deliveries were not given up", extra={"error": type_name(error)})
            await asyncio.sleep(self._interval)

    async def look(self) -> None:
        """Delete codes that have ended, and report messages that have as failed."""
        now = self._clock()
        await self._codes.delete_ended(now)
        for queued in await self._outbox.overdue(now, _BATCH):
            await self._give_up(queued)

    async def _give_up(self, queued: Queued) -> None:
        about = UUID(queued.name.partition("/")[2])
        with acting_in(_own_request(queued.tenant, about)):
            await self._commands.decide_oneself(
                queued.conversation,
                await self._requests.own_decision(about),
                lambda state, occasion: delivery.expire(
                    state, delivery=queued.name, at=occasion.at
                ),
            )


def _own_request(tenant: str, about: UUID) -> RequestContext:
    return RequestContext(
        action=_ACTION,
        method=_ACTION,
        principal=service_principal("conversations"),
        tenant=tenant,
        purpose=None,
        deadline=asyncio.get_running_loop().time() + _APPEND_SECONDS,
        correlation_id=str(about),
    )
