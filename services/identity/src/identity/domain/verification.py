"""How far the caller of one conversation was verified, and what is left to try."""

from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Final, TypeAlias

from careline.identity.events.v1 import events_pb2 as events
from eventstore.decider import Decider

from identity.domain.moment import moment

Event: TypeAlias = (
    events.VerificationStarted
    | events.IdentifiersMatched
    | events.IdentifiersNotMatched
    | events.VerificationCodeSent
    | events.VerificationCodeRefused
    | events.VerificationCodeConfirmed
    | events.CallerLevelReached
    | events.VerificationExhausted
)
_NEVER: Final = datetime.min.replace(tzinfo=UTC)
SENDS_REMEMBERED: Final = 16


@dataclass(frozen=True, slots=True)
class VerificationPolicy:
    """The limits of one conversation, and how long a level lasts.

    NIST SP 800-63A-4 3.8 lets a code by text or voice count for ten minutes; this is stricter.
    """

    identifier_tries: int = 3
    code_tries: int = 3
    code_lifetime: timedelta = timedelta(minutes=5)
    sends: int = 3
    send_window: timedelta = timedelta(minutes=30)
    level_lifetime: timedelta = timedelta(hours=1)


class Level(StrEnum):
    ANONYMOUS = "ANONYMOUS"
    MATCHED = "MATCHED"
    VERIFIED = "VERIFIED"


class Status(StrEnum):
    ABSENT = "absent"
    IDENTIFYING = "identifying"
    MATCHED = "matched"
    CODE_SENT = "code_sent"
    VERIFIED = "verified"
    EXHAUSTED = "exhausted"


@dataclass(frozen=True, slots=True)
class Code:
    """The latest code: until when it counts, how often it was tried."""

    name: str = ""
    expires: datetime = _NEVER
    tries: int = 0


@dataclass(frozen=True, slots=True)
class Verification:
    """What decides about a verification. `failures` and `sends` are the conversation's: beginning
    anew does not reset them.
    """

    status: Status = Status.ABSENT
    conversation: str = ""
    channel: str = ""
    purpose: str = ""
    frontend: str = ""
    patient: str = ""
    level: Level = Level.ANONYMOUS
    level_expires: datetime = _NEVER
    failures: int = 0
    code: Code = Code()
    sends: tuple[datetime, ...] = ()

    def level_at(self, at: datetime) -> Level:
        """Give the level that may be asserted now."""
        return self.level if at < self.level_expires else Level.ANONYMOUS

    def code_is_live(self, at: datetime, policy: VerificationPolicy) -> bool:
        return (
            self.status is Status.CODE_SENT
            and at < self.code.expires
            and self.code.tries < policy.code_tries
        )

    def may_send(self, at: datetime, policy: VerificationPolicy) -> bool:
        recent = [each for each in self.sends if each > at - policy.send_window]
        return len(recent) < policy.sends


def evolve(  # noqa: PLR0911  one arm an event
    verification: Verification, event: Event
) -> Verification:
    match event:
        case events.VerificationStarted():
            return _started(verification, event)
        case events.IdentifiersMatched():
            return replace(verification, status=Status.MATCHED, patient=event.patient)
        case events.IdentifiersNotMatched():
            return replace(verification, failures=event.failures)
        case events.VerificationCodeSent():
            return _code_sent(verification, event)
        case events.VerificationCodeRefused():
            return replace(verification, code=replace(verification.code, tries=event.tries))
        case events.VerificationCodeConfirmed():
            return replace(verification, status=Status.VERIFIED)
        case events.CallerLevelReached():
            expires = moment(event.expire_time)
            return replace(verification, level=Level(event.level), level_expires=expires)
        case events.VerificationExhausted():
            return replace(
                verification, status=Status.EXHAUSTED, level=Level.ANONYMOUS, level_expires=_NEVER
            )


DECIDER: Final[Decider[Verification, Event]] = Decider(Verification(), evolve)


def _started(verification: Verification, event: events.VerificationStarted) -> Verification:
    return Verification(
        status=Status.IDENTIFYING,
        conversation=event.conversation,
        channel=event.channel,
        purpose=event.purpose_of_use,
        frontend=event.frontend,
        failures=verification.failures,
        sends=verification.sends,
    )


def _code_sent(verification: Verification, event: events.VerificationCodeSent) -> Verification:
    sends = (*verification.sends, moment(event.send_time))[-SENDS_REMEMBERED:]
    code = Code(event.code, moment(event.expire_time))
    return replace(verification, status=Status.CODE_SENT, code=code, sends=sends)
