"""Follows the log and keeps every partner's contract, in memory, up to date."""

import asyncio
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Final, cast

from eventstore.event import RecordedEvent
from eventstore.event_log import EventLog
from runtime.event_codec import LogCodec

from federation.domain.contract import Contract, ContractEvent, evolve

_OWN: Final = "careline.federation.events.v1."
_CATEGORY: Final = "partners"


@dataclass(frozen=True, slots=True)
class Partner:
    """A partner of a tenant; `since` is when the log took its contract."""

    tenant: str
    name: str
    contract: Contract
    since: datetime

    @property
    def id(self) -> tuple[str, str]:
        return self.tenant, self.name


class Partners:
    """All tenants' partners, as of `position`. `run` must be running."""

    def __init__(self, log: EventLog, codec: LogCodec) -> None:
        self._log = log
        self._codec = codec
        self._partners: dict[tuple[str, str], Partner] = {}
        self._moved = asyncio.Condition()
        self.position = -1

    def __getitem__(self, partner: tuple[str, str]) -> Partner:
        """Give a partner by tenant and name; raises KeyError."""
        return self._partners[partner]

    def all(self) -> tuple[Partner, ...]:
        return tuple(self._partners.values())

    def active(self) -> Iterable[Partner]:
        return (one for one in self._partners.values() if one.contract.is_active)

    def receiving(self, tenant: str, event_type: str, recorded_at: datetime) -> list[Partner]:
        """List the tenant's partners whose contracts cover an event that was recorded then."""
        return [
            one
            for one in self.active()
            if one.tenant == tenant
            and event_type in one.contract.event_types
            and one.since <= recorded_at
        ]

    async def run(self) -> None:
        """Follow the log until cancelled."""
        async for page in self._log.subscribe(after=0):
            for event in page.events:
                if event.type.startswith(_OWN) and event.stream.category == _CATEGORY:
                    self._apply(event)
            async with self._moved:
                self.position = page.position
                self._moved.notify_all()

    def _apply(self, event: RecordedEvent) -> None:
        key = event.stream.tenant, event.stream.name
        known = self._partners.get(key)
        contract = evolve(
            known.contract if known else Contract(),
            cast("ContractEvent", self._codec.decode(event)),
        )
        self._partners[key] = Partner(*key, contract, known.since if known else event.recorded_at)

    async def caught_up(self, seconds: float) -> None:
        """Return once all that the log holds now is known here; raises TimeoutError."""
        async with asyncio.timeout(seconds):
            head = await self._log.head()
            async with self._moved:
                await self._moved.wait_for(lambda: self.position >= head.position)

    async def moved_past(self, position: int, seconds: float | None) -> None:
        """Return once more is known than up to `position`, or after some seconds."""
        try:
            async with asyncio.timeout(seconds), self._moved:
                await self._moved.wait_for(lambda: self.position > position)
        except TimeoutError:
            return
