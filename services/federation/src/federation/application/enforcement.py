"""Keeps NATS as the contracts say: who has an account, who may connect to it, what it may import.

Whatever has been appended is enforced by the call that appended it, before it answers; what such a
call could not do (NATS was away, its process died) is done here as soon as it can be.
"""

import logging
from collections.abc import Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from datetime import datetime
from typing import Final, Protocol

from federation.application.cancellation import raise_if_cancelled
from federation.application.partners import Partner, Partners

_log = logging.getLogger(__name__)
CATCH_UP_SECONDS: Final = 5.0
RETRY_SECONDS: Final = 1.0


class PartnerNetwork(Protocol):
    """The NATS side of partners."""

    async def export_to(self, partner_keys: Sequence[str]) -> None:
        """Let exactly these partners' accounts import their streams from the platform's."""

    async def open(self, partner: Partner, revoked: Mapping[str, datetime]) -> None:
        """Make the partner's stream, consumer and account; revoked users are cut off."""

    async def close(self, partner: Partner) -> None:
        """Cut off all users of the partner's and take from its account all that it imports."""


class OneAtATime(Protocol):
    """Lets one enforcement in over all processes, so that an older state never follows a newer."""

    def enter(self) -> AbstractAsyncContextManager[None]: ...


@dataclass(frozen=True, slots=True)
class Standing:
    """What NATS is to know of a partner."""

    active: bool
    revoked: frozenset[str]


class Enforcement:
    """Enforces single contracts on request, and all of them as long as `run` runs."""

    def __init__(self, partners: Partners, network: PartnerNetwork, one: OneAtATime) -> None:
        self._partners = partners
        self._network = network
        self._one = one
        self._enforced: dict[tuple[str, str], Standing] = {}
        self._exported: frozenset[str] | None = None

    async def enforce(self, tenant: str, name: str) -> None:
        """Return once NATS is as the contract says; raises what the network raises."""
        async with self._one.enter():
            await self._partners.caught_up(CATCH_UP_SECONDS)
            await self._enforce(self._partners[tenant, name])

    async def run(self) -> None:
        """Enforce whatever is not enforced yet, until cancelled."""
        await self._partners.moved_past(-1, None)
        while True:
            seen = self._partners.position
            settled = True
            for partner in self._partners.all():
                if self._enforced.get(partner.id) != _standing(partner):
                    settled = await self._try(partner) and settled
                    raise_if_cancelled()
            await self._partners.moved_past(seen, None if settled else RETRY_SECONDS)

    async def _try(self, partner: Partner) -> bool:
        """Enforce one contract; its failure is logged and holds up no other."""
        try:
            await self.enforce(*partner.id)
        # Whatever it is, the next partner's turn must come; this one's comes again.
        except Exception as error:  # noqa: BLE001
            _log.error(
                "a partner's contract is not enforced yet",
                extra={"partner": partner.name, "error": type(error).__name__},
            )
            return False
        return True

    async def _enforce(self, partner: Partner) -> None:
        if partner.contract.is_active:
            await self._export()
            await self._network.open(partner, partner.contract.revocations)
        else:
            await self._network.close(partner)
            await self._export()
        self._enforced[partner.id] = _standing(partner)

    async def _export(self) -> None:
        """Name all active partners every time, for the platform's account is replaced whole."""
        keys = frozenset(one.contract.partner_key for one in self._partners.active())
        if keys != self._exported:
            await self._network.export_to(sorted(keys))
            self._exported = keys


def _standing(partner: Partner) -> Standing:
    return Standing(partner.contract.is_active, frozenset(partner.contract.revocations))
