"""A service account: what a channel frontend signs in as."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final, TypeAlias

from careline.identity.events.v1 import events_pb2 as events
from eventstore.decider import Decider, Rejected

from identity.domain.lockout import NO_FAILURES, FailureCount, LockoutPolicy
from identity.domain.moment import moment, stamp

CHANNELS: Final = frozenset({"VOICE", "SMS", "CHAT"})
DISABLING_REASONS: Final = frozenset({"COMPROMISED", "RETIRED", "OTHER"})

Event: TypeAlias = (
    events.ServiceAccountCreated
    | events.ServiceAccountTokenIssued
    | events.ServiceAccountSecretRefused
    | events.ServiceAccountLockedOut
    | events.ServiceAccountDisabled
)


@dataclass(frozen=True, slots=True)
class ServiceAccount:
    """What decides about a service account."""

    exists: bool = False
    disabled: bool = False
    channels: tuple[str, ...] = ()
    secret: FailureCount = NO_FAILURES


def evolve(account: ServiceAccount, event: Event) -> ServiceAccount:
    match event:
        case events.ServiceAccountCreated():
            return replace(account, exists=True, channels=tuple(event.channels))
        case events.ServiceAccountTokenIssued():
            return replace(account, secret=NO_FAILURES)
        case events.ServiceAccountSecretRefused():
            return replace(account, secret=account.secret.failed())
        case events.ServiceAccountLockedOut():
            return replace(account, secret=account.secret.locked_out(moment(event.until_time)))
        case events.ServiceAccountDisabled():
            return replace(account, disabled=True)


DECIDER: Final[Decider[ServiceAccount, Event]] = Decider(ServiceAccount(), evolve)


def create(account: ServiceAccount, *, display_name: str, channels: Sequence[str]) -> list[Event]:
    if account.exists:
        raise Rejected("CONFLICT")
    return [events.ServiceAccountCreated(display_name=display_name, channels=sorted(set(channels)))]


def issue_token(
    account: ServiceAccount,
    *,
    right: bool,
    token_id: str,
    expires: datetime,
    at: datetime,
    policy: LockoutPolicy,
) -> list[Event]:
    """Record that a token is issued, or that the secret was wrong. While locked out or disabled
    nothing is evaluated.
    """
    if not account.exists or account.disabled or account.secret.is_locked(at):
        raise Rejected("SIGN_IN_REFUSED")
    if right:
        return [events.ServiceAccountTokenIssued(token_id=token_id, expire_time=stamp(expires))]
    refused = events.ServiceAccountSecretRefused(refuse_time=stamp(at))
    until = account.secret.lockout_on_failure(at, policy)
    if until is None:
        return [refused]
    return [refused, events.ServiceAccountLockedOut(until_time=stamp(until))]


def disable(account: ServiceAccount, reason: str) -> list[Event]:
    if not account.exists:
        raise Rejected("DENIED_OR_ABSENT")
    return [] if account.disabled else [events.ServiceAccountDisabled(reason=reason)]
