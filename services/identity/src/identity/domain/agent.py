"""An agent: roles, factors with a failure count each, and the sessions that were opened."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from typing import Final, TypeAlias

from careline.identity.events.v1 import events_pb2 as events
from eventstore.decider import Decider, Rejected

from identity.domain.lockout import NO_FAILURES, FailureCount, LockoutPolicy
from identity.domain.moment import moment, stamp

ROLES: Final = frozenset({"agent", "nurse", "registrar", "supervisor", "auditor"})
SUSPENSION_REASONS: Final = frozenset({"LEFT", "LOST_DEVICE", "REVIEW", "OTHER"})
SESSIONS_REMEMBERED: Final = 16
"""So many of the latest sessions are ended one by one on suspension; older ones end at their next
refresh, which asks the agent's state."""

Event: TypeAlias = (
    events.AgentCreated
    | events.AgentRolesAssigned
    | events.AgentPasswordSet
    | events.AgentTotpEnrolled
    | events.AgentSuspended
    | events.AgentFactorFailed
    | events.AgentLockedOut
    | events.AgentFactorVerified
)


class Factor(StrEnum):
    """What an agent proves, each counted apart: an attacker on one must not lock the other."""

    PASSWORD = "PASSWORD"  # noqa: S105  the name of a factor
    TOTP = "TOTP"


class Status(StrEnum):
    ABSENT = "absent"
    ACTIVE = "active"
    SUSPENDED = "suspended"


@dataclass(frozen=True, slots=True)
class Agent:
    """What decides about an agent. `last_totp_step` is the latest time step that was accepted."""

    status: Status = Status.ABSENT
    roles: tuple[str, ...] = ()
    totp_enrolled: bool = False
    last_totp_step: int = -1
    password: FailureCount = NO_FAILURES
    totp: FailureCount = NO_FAILURES
    sessions: tuple[str, ...] = ()


def evolve(agent: Agent, event: Event) -> Agent:  # noqa: PLR0911  one arm an event
    match event:
        case events.AgentCreated():
            return replace(agent, status=Status.ACTIVE, roles=tuple(event.roles))
        case events.AgentRolesAssigned():
            return replace(agent, roles=tuple(event.roles))
        case events.AgentPasswordSet():
            return replace(agent, password=NO_FAILURES)
        case events.AgentTotpEnrolled():
            return replace(agent, totp_enrolled=True, last_totp_step=-1, totp=NO_FAILURES)
        case events.AgentSuspended():
            return replace(agent, status=Status.SUSPENDED)
        case events.AgentFactorFailed():
            factor = Factor(event.factor)
            return _counted(agent, factor, _count(agent, factor).failed())
        case events.AgentLockedOut():
            factor = Factor(event.factor)
            until = moment(event.until_time)
            return _counted(agent, factor, _count(agent, factor).locked_out(until))
        case events.AgentFactorVerified():
            return _verified(agent, event)


DECIDER: Final[Decider[Agent, Event]] = Decider(Agent(), evolve)


def create(agent: Agent, *, user_name: str, display_name: str, roles: Sequence[str]) -> list[Event]:
    if agent.status is not Status.ABSENT:
        raise Rejected("CONFLICT")
    created = events.AgentCreated(
        user_name=user_name, display_name=display_name, roles=sorted(set(roles))
    )
    return [created, events.AgentPasswordSet()]


def enroll_totp(agent: Agent) -> list[Event]:
    """Give a new authenticator; the one before counts no more."""
    _require_active(agent)
    return [events.AgentTotpEnrolled()]


def assign_roles(agent: Agent, roles: Sequence[str]) -> list[Event]:
    _require_active(agent)
    wanted = sorted(set(roles))
    if wanted == sorted(agent.roles):
        return []
    return [events.AgentRolesAssigned(roles=wanted)]


def suspend(agent: Agent, reason: str) -> list[Event]:
    if agent.status is Status.SUSPENDED:
        return []
    _require_active(agent)
    return [events.AgentSuspended(reason=reason)]


def prove_password(
    agent: Agent, *, right: bool, session: str, at: datetime, policy: LockoutPolicy
) -> list[Event]:
    """Record what a password was. While locked out none is, whether right or wrong.

    A lockout of the password answers as any refusal does: told apart, it would say that the name
    exists.
    """
    if agent.status is not Status.ACTIVE or agent.password.is_locked(at):
        raise Rejected("SIGN_IN_REFUSED")
    if not right:
        return _failure(agent, Factor.PASSWORD, at, policy)
    return [
        events.AgentFactorVerified(factor=Factor.PASSWORD, session=session, verify_time=stamp(at))
    ]


def prove_totp(
    agent: Agent, *, step: int | None, session: str, at: datetime, policy: LockoutPolicy
) -> list[Event]:
    """Record what a code was. `step` is the time step that it fits, None for none.

    A step counts once (RFC 6238, 5.2): a code of the last accepted step or an older one is wrong.
    Whoever gets here proved the password, so that a lockout may be told.
    """
    if agent.status is not Status.ACTIVE or not agent.totp_enrolled:
        raise Rejected("SIGN_IN_REFUSED")
    if agent.totp.is_locked(at):
        raise Rejected("LOCKED_OUT", until=_until(agent.totp))
    if step is None or step <= agent.last_totp_step:
        return _failure(agent, Factor.TOTP, at, policy)
    return [
        events.AgentFactorVerified(
            factor=Factor.TOTP, session=session, totp_step=step, verify_time=stamp(at)
        )
    ]


def _failure(agent: Agent, factor: Factor, at: datetime, policy: LockoutPolicy) -> list[Event]:
    failed = events.AgentFactorFailed(factor=factor, fail_time=stamp(at))
    until = _count(agent, factor).lockout_on_failure(at, policy)
    if until is None:
        return [failed]
    return [failed, events.AgentLockedOut(factor=factor, until_time=stamp(until))]


def _verified(agent: Agent, event: events.AgentFactorVerified) -> Agent:
    factor = Factor(event.factor)
    counted = _counted(agent, factor, NO_FAILURES)
    if factor is Factor.PASSWORD:
        return counted
    sessions = (*agent.sessions, event.session)[-SESSIONS_REMEMBERED:]
    return replace(counted, last_totp_step=event.totp_step, sessions=sessions)


def _count(agent: Agent, factor: Factor) -> FailureCount:
    match factor:
        case Factor.PASSWORD:
            return agent.password
        case Factor.TOTP:
            return agent.totp


def _counted(agent: Agent, factor: Factor, count: FailureCount) -> Agent:
    match factor:
        case Factor.PASSWORD:
            return replace(agent, password=count)
        case Factor.TOTP:
            return replace(agent, totp=count)


def _until(count: FailureCount) -> str:
    return "" if count.until is None else count.until.isoformat(timespec="seconds")


def _require_active(agent: Agent) -> None:
    if agent.status is not Status.ACTIVE:
        raise Rejected("DENIED_OR_ABSENT")
