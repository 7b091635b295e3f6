"""What operators do with partners' contracts."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Protocol

from careline.federation.events.v1.events_pb2 import CredentialsIssued
from eventstore.decider import Decider, Rejected
from eventstore.execute import Executed, Executor, Request
from eventstore.stream_id import StreamId
from google.protobuf.timestamp_pb2 import Timestamp
from messaging.accounts import Account, Credentials
from messaging.partner_account import PartnerStream
from runtime.request_context import current_request

from federation.application.enforcement import Enforcement
from federation.application.user_key import user_key
from federation.domain import contract
from federation.domain.contract import CONTRACT, Contract, ContractEvent


class PartnerKeys(Protocol):
    """Which partner key belongs to which partner."""

    async def claim(self, tenant: str, partner_key: str, partner: str) -> bool:
        """Take a key for a partner for good; tells whether it is that partner's."""


class PartnerAccounts(Protocol):
    """The keys of partners' NATS accounts."""

    async def make(self, tenant: str, partner_key: str) -> Account:
        """Make a partner's account; the same one whenever it is made again."""

    async def kept(self, tenant: str, partner_key: str) -> Account:
        """Give an account that was made; raises what the keeper raises when it is gone."""


@dataclass(frozen=True, slots=True)
class Terms:
    """What a contract says."""

    partner_key: str
    display_name: str
    event_types: frozenset[str]


@dataclass(frozen=True, slots=True)
class Reached:
    """What a use case came to: the state, its revision, and the log's position."""

    name: str
    contract: Contract
    revision: int
    position: int


@dataclass(frozen=True, slots=True)
class Issued:
    """Credentials, which are kept nowhere."""

    credentials: Credentials
    expires: datetime


class Contracts:
    """Use cases within the caller's tenant; `now` is the clock."""

    def __init__(
        self,
        executor: Executor,
        keys: PartnerKeys,
        accounts: PartnerAccounts,
        enforcement: Enforcement,
        *,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._executor = executor
        self._keys = keys
        self._accounts = accounts
        self._enforcement = enforcement
        self._now = now

    async def create(self, name: str, terms: Terms, request: Request) -> Reached:
        """Make a contract, and the partner's account; returns once the partner can connect."""
        tenant = current_request().tenant
        account = await self._accounts.make(tenant, terms.partner_key)
        # Last before the contract: a key whose contract never came would be taken for nothing.
        if not await self._keys.claim(tenant, terms.partner_key, name):
            raise Rejected("NAME_TAKEN")
        return await self._reach(
            name,
            request,
            lambda state: contract.create(
                state,
                partner_key=terms.partner_key,
                display_name=terms.display_name,
                event_types=terms.event_types,
                account=account.public,
                at=self._stamp(),
            ),
        )

    async def contract(self, name: str) -> Reached:
        """Read a contract. Raises Rejected when the tenant has none of that name."""
        loaded = await self._executor.load(_stream(name), CONTRACT)
        if loaded.revision < 0:
            raise Rejected("DENIED_OR_ABSENT")
        return Reached(name, loaded.state, loaded.revision, loaded.position)

    async def issue(self, name: str, lifetime: timedelta, request: Request) -> Issued:
        """Issue credentials; the same request again gives credentials of the same user."""
        partner_key = (await self.contract(name)).contract.partner_key
        account = await self._accounts.kept(current_request().tenant, partner_key)
        user = user_key(account, request.ids(0))
        now = self._now()
        done = await self._execute(
            name,
            request,
            lambda state: contract.issue(
                state, user=user.public, expires=stamp(now + lifetime), at=stamp(now)
            ),
        )
        expires = next(
            event.expire_time.ToDatetime(UTC)
            for event in done.events
            if isinstance(event, CredentialsIssued)
        )
        permissions = PartnerStream(partner_key).permissions()
        made = account.credentials(partner_key, permissions, expires=expires, key=user)
        return Issued(made, expires)

    async def revoke(self, name: str, user: str, request: Request) -> Reached:
        """Cut a user off; returns once his session has ended."""
        return await self._reach(
            name, request, lambda state: contract.revoke(state, user=user, at=self._stamp())
        )

    async def suspend(self, name: str, reason: str, request: Request) -> Reached:
        """Cut a partner off; returns once its sessions have ended."""
        return await self._reach(
            name, request, lambda state: contract.suspend(state, reason=reason, at=self._stamp())
        )

    async def _reach(
        self, name: str, request: Request, command: Callable[[Contract], list[ContractEvent]]
    ) -> Reached:
        done = await self._execute(name, request, command)
        # Also for a repeated request: the first may have appended and failed at NATS.
        await self._enforcement.enforce(current_request().tenant, name)
        return Reached(name, done.state, done.revision, done.position)

    async def _execute(
        self, name: str, request: Request, command: Callable[[Contract], list[ContractEvent]]
    ) -> Executed[Contract, ContractEvent]:
        decider: Decider[Contract, ContractEvent] = CONTRACT
        return await self._executor.execute(
            _stream(name), decider, command, subject=name, request=request
        )

    def _stamp(self) -> Timestamp:
        return stamp(self._now())


def stamp(moment: datetime) -> Timestamp:
    timestamp = Timestamp()
    timestamp.FromDatetime(moment)
    return timestamp


def _stream(name: str) -> StreamId:
    return StreamId(current_request().tenant, name)
