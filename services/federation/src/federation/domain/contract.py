"""One contract: which events a partner receives, and by which users."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Final, TypeAlias

from careline.federation.events.v1.events_pb2 import (
    ContractCreated,
    CredentialsIssued,
    CredentialsRevoked,
    PartnerSuspended,
)
from eventstore.decider import Decider, Rejected
from google.protobuf.timestamp_pb2 import Timestamp

MOST_USERS: Final = 50
"""Users whose credentials have not expired, revoked ones included: NATS holds all of them."""


@dataclass(frozen=True, slots=True)
class User:
    """A user of the partner's; `public` is its public key."""

    public: str
    expires: datetime
    revoked: bool = False


@dataclass(frozen=True, slots=True)
class Contract:
    """What the next decision needs to know. `users` are those that had not expired lately."""

    partner_key: str = ""
    display_name: str = ""
    event_types: frozenset[str] = frozenset()
    account: str = ""
    created: datetime | None = None
    suspended: bool = False
    users: tuple[User, ...] = ()

    @property
    def exists(self) -> bool:
        return bool(self.partner_key)

    @property
    def is_active(self) -> bool:
        return self.exists and not self.suspended

    @property
    def revocations(self) -> Mapping[str, datetime]:
        """Public keys that may not connect, and until when their credentials would hold."""
        return {user.public: user.expires for user in self.users if user.revoked}


ContractEvent: TypeAlias = (
    ContractCreated | CredentialsIssued | CredentialsRevoked | PartnerSuspended
)


def evolve(contract: Contract, event: ContractEvent) -> Contract:
    match event:
        case ContractCreated():
            return Contract(
                partner_key=event.partner_key,
                display_name=event.display_name,
                event_types=frozenset(event.event_types),
                account=event.account,
                created=event.create_time.ToDatetime(UTC),
            )
        case CredentialsIssued():
            issued = event.issue_time.ToDatetime(UTC)
            held = tuple(user for user in contract.users if user.expires > issued)
            user = User(event.user, event.expire_time.ToDatetime(UTC))
            return replace(contract, users=(*held, user))
        case CredentialsRevoked():
            return replace(
                contract,
                users=tuple(
                    replace(user, revoked=True) if user.public == event.user else user
                    for user in contract.users
                ),
            )
        case PartnerSuspended():
            return replace(contract, suspended=True)


CONTRACT: Final[Decider[Contract, ContractEvent]] = Decider(Contract(), evolve)


def create(
    contract: Contract,
    *,
    partner_key: str,
    display_name: str,
    event_types: frozenset[str],
    account: str,
    at: Timestamp,
) -> list[ContractEvent]:
    if contract.exists:
        raise Rejected("NAME_TAKEN")
    return [
        ContractCreated(
            partner_key=partner_key,
            display_name=display_name,
            event_types=sorted(event_types),
            account=account,
            create_time=at,
        )
    ]


def issue(
    contract: Contract, *, user: str, expires: Timestamp, at: Timestamp
) -> list[ContractEvent]:
    """Let a new user connect. The same user again is the same request again."""
    _require_existing(contract)
    if any(known.public == user for known in contract.users):
        return []
    if contract.suspended:
        raise Rejected("PARTNER_SUSPENDED")
    now = at.ToDatetime(UTC)
    if sum(known.expires > now for known in contract.users) >= MOST_USERS:
        raise Rejected("PARTNER_STATE", most_users=str(MOST_USERS))
    return [CredentialsIssued(user=user, expire_time=expires, issue_time=at)]


def revoke(contract: Contract, *, user: str, at: Timestamp) -> list[ContractEvent]:
    """Let a user connect no more; one of another partner is none."""
    _require_existing(contract)
    known = next((one for one in contract.users if one.public == user), None)
    if known is None:
        raise Rejected("DENIED_OR_ABSENT")
    return [] if known.revoked else [CredentialsRevoked(user=user, revoke_time=at)]


def suspend(contract: Contract, *, reason: str, at: Timestamp) -> list[ContractEvent]:
    """Let the partner receive nothing more, for good."""
    _require_existing(contract)
    return [] if contract.suspended else [PartnerSuspended(reason=reason, suspend_time=at)]


def _require_existing(contract: Contract) -> None:
    if not contract.exists:
        raise Rejected("DENIED_OR_ABSENT")
