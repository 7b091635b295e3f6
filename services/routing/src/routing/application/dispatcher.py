"""Asks agents to take contacts, and withdraws what nobody answered in time.

Never polled: it decides when the boards have moved and when the first open offer lapses. Any number
of processes may run it: each decision is an append at known revisions, so that of two the second
finds its contact or agent taken and looks again.
"""

import asyncio
import logging
from collections.abc import Callable
from datetime import datetime
from typing import Final
from uuid import UUID

from eventstore.decider import Rejected
from eventstore.joint import JointExecutor
from eventstore.stream_id import StreamId
from google.protobuf.timestamp_pb2 import Timestamp
from runtime.errors import refusal_of
from runtime.idempotency import Requests
from runtime.principal import service_principal
from runtime.request_context import RequestContext, acting_in

from routing.application.boards import Boards
from routing.application.contact_and_agent import decide_on_both
from routing.domain import agent, contact
from routing.domain.board import OpenOffer
from routing.domain.choice import Choice

_log = logging.getLogger(__name__)
APPEND_SECONDS: Final = 10.0
RETRY_SECONDS: Final = 0.2


class Dispatcher:
    """Decides for every tenant as long as `run` runs."""

    def __init__(
        self,
        boards: Boards,
        joint: JointExecutor,
        requests: Requests,
        *,
        new_id: Callable[[], UUID],
        now: Callable[[], datetime],
    ) -> None:
        self._boards = boards
        self._joint = joint
        self._requests = requests
        self._new_id = new_id
        self._now = now

    async def run(self) -> None:
        """Decide until cancelled."""
        while True:
            seen = self._boards.position
            settled = True
            for tenant in self._boards.tenants:
                settled = await self._decide(tenant) and settled
            await self._boards.moved_past(seen, self._wait() if settled else RETRY_SECONDS)

    async def _decide(self, tenant: str) -> bool:
        """Decide what is to decide now; tells whether all of it could be appended."""
        board = self._boards[tenant]
        position = 0
        try:
            for offer in board.overdue(self._now()):
                position = await self._time_out(tenant, offer)
            for choice in board.choices():
                position = await self._ask(tenant, choice)
            # The next look must see what this one did.
            await self._boards.reached(position, APPEND_SECONDS)
        except Rejected:
            # Somebody was faster; the boards will show it.
            return False
        except Exception as error:
            # What is away comes back; the contacts wait meanwhile.
            if refusal_of(error) is None:
                raise
            _log.warning("a routing decision waits", extra={"error": type(error).__name__})
            return False
        return True

    async def _ask(self, tenant: str, choice: Choice) -> int:
        name, asked = choice.contact.contact, choice.agent.agent
        about = self._new_id()
        offer = f"offers/{about}"
        now = self._now()
        until = now + self._boards[tenant].offer_timeout(choice.contact.queue)
        with acting_in(self._context(tenant, name, "routing.offer")):
            request = await self._requests.own_decision(about)
            done = await decide_on_both(
                self._joint,
                request,
                (
                    StreamId(tenant, name),
                    lambda state: contact.offer(
                        state,
                        offer=offer,
                        agent=asked,
                        until=stamp(until),
                        explanation=choice.explanation,
                        at=stamp(now),
                    ),
                ),
                (
                    StreamId(tenant, asked),
                    lambda state: agent.reserve(
                        state, offer=offer, contact=name, queue=choice.contact.queue
                    ),
                ),
            )
        return done.position

    async def _time_out(self, tenant: str, offer: OpenOffer) -> int:
        at = stamp(self._now())
        with acting_in(self._context(tenant, offer.contact, "routing.timeOutOffer")):
            request = await self._requests.own_decision(UUID(offer.offer.removeprefix("offers/")))
            done = await decide_on_both(
                self._joint,
                request,
                (
                    StreamId(tenant, offer.contact),
                    lambda state: contact.time_out(state, offer=offer.offer, at=at),
                ),
                (
                    StreamId(tenant, offer.agent),
                    lambda state: agent.release(
                        state, offer=offer.offer, reason="TIMED_OUT", at=at
                    ),
                ),
            )
        return done.position

    def _context(self, tenant: str, name: str, action: str) -> RequestContext:
        """Act as routing itself, in the trace of the call that put the contact into its queue.

        Raises Rejected for a contact that ended since it was looked at.
        """
        cause = self._boards.cause(tenant, name)
        if cause is None:
            raise Rejected("CONTACT_STATE")
        return RequestContext(
            action=action,
            method=f"routing/{action}",
            principal=service_principal("routing"),
            tenant=tenant,
            purpose=None,
            deadline=asyncio.get_running_loop().time() + APPEND_SECONDS,
            correlation_id=cause.correlation_id,
            causation_id=cause.event_id,
            traceparent=cause.traceparent,
            tracestate=cause.tracestate,
        )

    def _wait(self) -> float | None:
        """Give the seconds until the first open offer lapses, None when there is none."""
        deadlines = [self._boards[tenant].next_deadline() for tenant in self._boards.tenants]
        first = min((one for one in deadlines if one is not None), default=None)
        return None if first is None else max((first - self._now()).total_seconds(), 0.0)


def stamp(moment: datetime) -> Timestamp:
    timestamp = Timestamp()
    timestamp.FromDatetime(moment)
    return timestamp
