"""Moves what waits in the outbox into the partners' streams, each partner at its own pace.

A message is published under the condition that the stream is just before the message's sequence.
So a message that was published before a crash is known by the stream's own end, a second process
can't publish in between, and the order is the outbox's.
"""

import asyncio
import logging
from collections.abc import Sequence
from typing import Final

from eventstore.backoff import Backoff
from messaging.connect import NatsClient
from messaging.first_failure import until_one_fails
from messaging.headers import EXPECTED_LAST_SEQUENCE, MESSAGE_ID
from messaging.lease import open_lease
from messaging.partner_account import PartnerStream
from nats.js import JetStreamContext
from nats.js.errors import NotFoundError
from sqlalchemy.ext.asyncio import AsyncEngine

from federation.adapters.nats_users import NatsUsers
from federation.adapters.outbox import PostgresOutbox, Waiting
from federation.adapters.partner_streams import ensure_stream, message_id
from federation.application.cancellation import raise_if_cancelled
from federation.application.partners import Partner, Partners

_log = logging.getLogger(__name__)
_LEASE: Final = "deliveries"
_SCHEMA: Final = "federation"
_POLL_SECONDS: Final = 0.2
_WATCH_SECONDS: Final = 1.0
_CAMPAIGN_SECONDS: Final = 0.5
_BATCH: Final = 100
_PUBLISH_SECONDS: Final = 5.0


class SequenceMoved(Exception):
    """A partner's stream is not where the outbox says: somebody else wrote, or it was rolled back.

    Compare the stream's state with federation's table `forwarding`.
    """


class Deliveries:
    """One process at a time delivers, others wait for its lock."""

    def __init__(
        self, engine: AsyncEngine, partners: Partners, outbox: PostgresOutbox, users: NatsUsers
    ) -> None:
        self._engine = engine
        self._partners = partners
        self._outbox = outbox
        self._users = users
        self._backoff = Backoff()

    async def run(self) -> None:
        """Deliver until cancelled; whatever fails is logged and tried again."""
        failures = 0
        while True:
            try:
                async with open_lease(self._engine, _SCHEMA, _LEASE) as lease:
                    # PostgreSQL tells nobody that a lock was let go.
                    while not await lease.try_take():  # noqa: ASYNC110
                        await asyncio.sleep(_CAMPAIGN_SECONDS)
                    async with self._users.forwarder() as client:
                        raise_if_cancelled()
                        failures = 0
                        await until_one_fails(
                            lease.watch(), _watch(client), self._deliver(client.jetstream())
                        )
            # A lost lock, a lost connection, a database away: all of it is tried again.
            except Exception as error:  # noqa: BLE001
                raise_if_cancelled()
                failures += 1
                _log.warning("deliveries wait", extra={"error": type(error).__name__})
                await asyncio.sleep(self._backoff.after(failures))

    async def _deliver(self, js: JetStreamContext) -> None:
        """Run a delivery a partner, as partners come and go."""
        running: dict[tuple[str, str], asyncio.Task[None]] = {}
        ended: set[tuple[str, str]] = set()
        async with asyncio.TaskGroup() as group:
            while True:
                seen = self._partners.position
                for partner in self._partners.all():
                    if partner.contract.is_active and partner.id not in running:
                        running[partner.id] = group.create_task(self._follow(js, partner))
                    elif partner.contract.suspended and partner.id not in ended:
                        if delivery := running.get(partner.id):
                            delivery.cancel()
                        await self._outbox.drop(partner)
                        ended.add(partner.id)
                await self._partners.moved_past(seen, None)

    async def _follow(self, js: JetStreamContext, partner: Partner) -> None:
        """Deliver to one partner until cancelled; its failures are its own."""
        failures = 0
        while True:
            raise_if_cancelled()
            try:
                moved = await self._move(js, partner)
            # Whatever it is, it holds up this partner alone, and is tried again.
            except Exception as error:  # noqa: BLE001
                failures += 1
                _log.warning(
                    "a partner's stream takes nothing",
                    extra={"partner": partner.name, "error": type(error).__name__},
                )
                await asyncio.sleep(self._backoff.after(failures))
                continue
            failures = 0
            if not moved:
                await asyncio.sleep(_POLL_SECONDS)

    async def _move(self, js: JetStreamContext, partner: Partner) -> int:
        """Publish the first messages that wait; tells how many there were."""
        waiting = await self._outbox.waiting(partner, _BATCH)
        if not waiting:
            return 0
        stream = PartnerStream(partner.contract.partner_key)
        try:
            info = await js.stream_info(stream.stream)
        except NotFoundError:
            await ensure_stream(self._users, stream, waiting[0].sequence)
            info = await js.stream_info(stream.stream)
        end = info.state.last_seq
        await self._check(stream, end, waiting)
        try:
            for one in waiting:
                if one.sequence > end:
                    await _publish(js, one)
                    end = one.sequence
        finally:
            await self._outbox.delivered(partner, end)
        return len(waiting)

    async def _check(self, stream: PartnerStream, end: int, waiting: Sequence[Waiting]) -> None:
        """Raise SequenceMoved unless the stream ends before what waits, or within it by our doing.

        The latter is what a process left that ended between a publication and its note of it.
        """
        first = waiting[0].sequence
        if end == first - 1:
            return
        if first <= end <= waiting[-1].sequence:
            ours = waiting[end - first].message.headers[MESSAGE_ID]
            if await message_id(self._users, stream, end) in {ours, None}:
                return
        raise SequenceMoved("compare the stream with the table forwarding")


async def _watch(client: NatsClient) -> None:
    """Raise ConnectionClosed once the connection has ended for good."""
    while True:
        await client.wait_connected()
        await asyncio.sleep(_WATCH_SECONDS)


async def _publish(js: JetStreamContext, one: Waiting) -> None:
    headers = {**one.message.headers, EXPECTED_LAST_SEQUENCE: str(one.sequence - 1)}
    await js.publish(
        one.message.subject, one.message.data, timeout=_PUBLISH_SECONDS, headers=headers
    )
