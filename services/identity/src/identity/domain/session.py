"""An agent's session: opened by two factors, kept alive by refreshing, ended for good."""

from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Final, TypeAlias

from careline.identity.events.v1 import events_pb2 as events
from eventstore.decider import Decider, Rejected

from identity.domain.moment import moment, stamp

Event: TypeAlias = (
    events.SessionStarted
    | events.SessionAuthenticated
    | events.SessionRefreshed
    | events.SessionEnded
)
_NEVER: Final = datetime.min.replace(tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class SessionPolicy:
    """How long a session waits for its second factor, lives at most, and may be idle.

    Refreshing is what counts as activity. The defaults are those of AAL3 in NIST SP 800-63B-3.
    """

    factor_wait: timedelta = timedelta(minutes=5)
    longest: timedelta = timedelta(hours=12)
    idle: timedelta = timedelta(minutes=15)


class Status(StrEnum):
    ABSENT = "absent"
    PENDING = "pending"
    OPEN = "open"
    ENDED = "ended"


class End(StrEnum):
    """Why a session ended."""

    SIGNED_OUT = "SIGNED_OUT"
    SUSPENDED = "SUSPENDED"
    EXPIRED = "EXPIRED"
    LOCKED_OUT = "LOCKED_OUT"
    REPLAYED = "REPLAYED"


@dataclass(frozen=True, slots=True)
class Session:
    """What decides about a session. `refreshes` numbers the one refresh token that counts, from 0;
    `expires` is when it ends whatever happens, of a pending one when the second factor must be in.
    """

    status: Status = Status.ABSENT
    agent: str = ""
    expires: datetime = _NEVER
    active: datetime = _NEVER
    refreshes: int = 0


def evolve(session: Session, event: Event) -> Session:
    match event:
        case events.SessionStarted():
            return replace(
                session,
                status=Status.PENDING,
                agent=event.agent,
                expires=moment(event.factor_expire_time),
            )
        case events.SessionAuthenticated():
            return replace(
                session,
                status=Status.OPEN,
                expires=moment(event.expire_time),
                active=moment(event.authenticate_time),
            )
        case events.SessionRefreshed():
            return replace(
                session, active=moment(event.refresh_time), refreshes=session.refreshes + 1
            )
        case events.SessionEnded():
            return replace(session, status=Status.ENDED)


DECIDER: Final[Decider[Session, Event]] = Decider(Session(), evolve)


def start(session: Session, *, agent: str, at: datetime, policy: SessionPolicy) -> list[Event]:
    if session.status is not Status.ABSENT:
        raise Rejected("CONFLICT")
    return [
        events.SessionStarted(
            agent=agent,
            start_time=stamp(at),
            factor_expire_time=stamp(at + policy.factor_wait),
        )
    ]


def require_pending(session: Session, at: datetime) -> None:
    """Refuse unless the session waits for its second factor."""
    if session.status is not Status.PENDING or at >= session.expires:
        raise Rejected("SESSION_ENDED")


def authenticate(session: Session, *, at: datetime, policy: SessionPolicy) -> list[Event]:
    require_pending(session, at)
    return [
        events.SessionAuthenticated(
            expire_time=stamp(at + policy.longest), authenticate_time=stamp(at)
        )
    ]


def refresh(
    session: Session, *, presented: int, active_agent: bool, at: datetime, policy: SessionPolicy
) -> list[Event]:
    """Count a refresh token, the `presented`-th of the session (from 0).

    The session ends, rather than being refreshed, when the token was used before (somebody else
    has it), its agent is suspended, or it is over age or idle.
    """
    if session.status is not Status.OPEN:
        raise Rejected("SESSION_ENDED")
    if not active_agent:
        return end(session, reason=End.SUSPENDED, at=at)
    if at >= session.expires or at >= session.active + policy.idle:
        return end(session, reason=End.EXPIRED, at=at)
    if presented != session.refreshes:
        return end(session, reason=End.REPLAYED, at=at)
    return [events.SessionRefreshed(refresh_time=stamp(at))]


def end(session: Session, *, reason: End, at: datetime) -> list[Event]:
    if session.status in (Status.ABSENT, Status.ENDED):
        return []
    return [events.SessionEnded(reason=reason, end_time=stamp(at))]
