"""Tells partners which events they were given are no more, once those events' log was restored."""

from collections import defaultdict
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import Final, Protocol

from careline.federation.events.v1.events_pb2 import RetractionForwarded
from careline.federation.v1.events_retracted_pb2 import EventsRetracted
from eventstore.stream_id import StreamId
from messaging.headers import MESSAGE_ID
from messaging.retraction import Retraction
from runtime.event_recorder import EventRecorder
from runtime.idempotency import Requests
from runtime.retraction_request import record_retraction, retraction_id
from sqlalchemy.ext.asyncio import AsyncConnection

from federation.application.forwarding import CATCH_UP_SECONDS, Forwarded, Outbox
from federation.application.partners import Partner, Partners

_TYPE: Final = EventsRetracted.DESCRIPTOR.full_name
_STREAM_ID: Final = "log"
"""Where events have their aggregate's id, which is never this."""


class GivenEvents(Outbox, Protocol):
    """The outbox, which also knows what was put into it."""

    async def given_beyond(
        self, connection: AsyncConnection, retraction: Retraction
    ) -> frozenset[tuple[str, str]]:
        """Tell by tenant and name who was given a retracted event; for a session of all tenants."""


class PartnerRetractor:
    """Takes nothing back, for it has left: a partner learns of it in line with its events."""

    def __init__(
        self,
        partners: Partners,
        outbox: GivenEvents,
        recorder: EventRecorder,
        requests: Requests,
        *,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._partners = partners
        self._outbox = outbox
        self._recorder = recorder
        self._requests = requests
        self._now = now

    async def retract(self, connection: AsyncConnection, retraction: Retraction) -> None:
        """Put a notice into the outbox for each active partner concerned; a second try adds none.

        Each tenant's log says who is told. Raises TimeoutError, and what the log raises.
        """
        await self._partners.caught_up(CATCH_UP_SECONDS)
        given = await self._outbox.given_beyond(connection, retraction)
        told: defaultdict[str, list[str]] = defaultdict(list)
        for partner in [one for one in self._partners.active() if one.id in given]:
            await self._outbox.put(
                connection,
                partner,
                notice_for(partner, retraction, self._now()),
                epoch=retraction.to_epoch,
                position=retraction.after,
                always=True,
            )
            told[partner.tenant].append(partner.name)
        for tenant, names in sorted(told.items()):
            await self._record(tenant, sorted(names), retraction)

    async def _record(self, tenant: str, names: Sequence[str], retraction: Retraction) -> None:
        event = RetractionForwarded(
            service=retraction.source,
            followed_epoch=retraction.from_epoch,
            restored_epoch=retraction.to_epoch,
            after_position=retraction.after,
            until_position=retraction.until,
            partners=names,
        )
        stream = StreamId(tenant, f"retractions/{retraction.source}")
        await record_retraction(
            self._recorder,
            self._requests,
            retraction,
            stream,
            event,
            service="federation",
            method="forwardRetraction",
        )


def notice_for(partner: Partner, retraction: Retraction, at: datetime) -> Forwarded:
    """Make the message: it stands where the log stands, and has no stream and no revision."""
    notice = EventsRetracted(
        service=retraction.source,
        followed_epoch=retraction.from_epoch,
        restored_epoch=retraction.to_epoch,
        after_position=retraction.after,
        until_position=retraction.until,
    )
    name = _TYPE.rpartition(".")[2]
    notice_id = str(retraction_id(retraction))
    return Forwarded(
        f"fed.{partner.contract.partner_key}.{partner.tenant}.{_STREAM_ID}.{name}",
        {
            MESSAGE_ID: notice_id,
            "ce-specversion": "1.0",
            "ce-id": notice_id,
            "ce-type": _TYPE,
            "ce-source": f"careline/{retraction.source}",
            "ce-time": at.astimezone(UTC).isoformat(),
            "ce-datacontenttype": "application/protobuf",
            "careline-tenant": partner.tenant,
            "careline-epoch": str(retraction.to_epoch),
            "careline-position": str(retraction.after),
        },
        notice.SerializeToString(deterministic=True),
    )
