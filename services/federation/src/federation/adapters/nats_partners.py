"""The NATS side of partners: what the platform exports to whom, and the partners' accounts."""

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime
from typing import Final

from messaging.claims_push import push_claims
from messaging.connect import NatsUnavailable
from messaging.partner_account import PARTNER_LIMITS, PartnerStream
from nats.errors import Error as NatsError
from runtime.refusal import Refused

from federation.adapters.nats_users import NatsUsers
from federation.adapters.outbox import PostgresOutbox
from federation.adapters.partner_streams import ensure_stream
from federation.application.contracts import PartnerAccounts
from federation.application.partners import Partner

_EVERYBODY: Final = "*"
_FOR_GOOD: Final = datetime(9999, 1, 1, tzinfo=UTC)
_CLOSED: Final = replace(PARTNER_LIMITS, connections=0)


class NatsPartners:
    """Tells the servers of accounts; a repeated word changes nothing.

    Every method raises Refused (DEPENDENCY_UNAVAILABLE) while NATS is away.
    """

    def __init__(self, users: NatsUsers, accounts: PartnerAccounts, outbox: PostgresOutbox) -> None:
        self._users = users
        self._operator = users.operator
        self._accounts = accounts
        self._outbox = outbox

    async def export_to(self, partner_keys: Sequence[str]) -> None:
        """Let exactly these partners' accounts import their streams from the platform's."""
        exports = [export for key in partner_keys for export in PartnerStream(key).exports()]
        await self._push(self._operator.platform_jwt(exports))

    async def open(self, partner: Partner, revoked: Mapping[str, datetime]) -> None:
        """Make the partner's stream, consumer and account; revoked users are cut off."""
        key = partner.contract.partner_key
        stream = PartnerStream(key)
        first = await self._outbox.next_sequence(partner)
        async with _nats_may_be_away():
            await ensure_stream(self._users, stream, first)
        account = await self._accounts.kept(partner.tenant, key)
        await self._push(
            self._operator.account_jwt(
                account,
                limits=PARTNER_LIMITS,
                imports=stream.imports(self._operator.platform, account),
                revocations=revoked,
            )
        )

    async def close(self, partner: Partner) -> None:
        """Cut off all users of the partner's and take from its account all that it imports."""
        account = await self._accounts.kept(partner.tenant, partner.contract.partner_key)
        await self._push(
            self._operator.account_jwt(account, limits=_CLOSED, revocations={_EVERYBODY: _FOR_GOOD})
        )

    async def _push(self, account_jwt: str) -> None:
        async with _nats_may_be_away(), self._users.administrator() as client:
            await push_claims(client, account_jwt)


@asynccontextmanager
async def _nats_may_be_away() -> AsyncIterator[None]:
    try:
        yield
    except (NatsUnavailable, NatsError, TimeoutError) as error:
        raise Refused("DEPENDENCY_UNAVAILABLE") from error
